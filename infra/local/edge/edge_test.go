package edge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"previewenv/infra/local/free"
	"previewenv/infra/local/kvs"
	"previewenv/infra/local/moto"
)

// start serves an edge before a real emulator.
func start(t *testing.T) (*Edge, aws.Config) {
	t.Helper()
	bin, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := free.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	server, err := moto.Start(t.Context(), moto.Options{Python: bin, EdgePort: listener.Addr().(*net.TCPAddr).Port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	e := New(server.URL, slog.New(slog.NewTextHandler(t.Output(), nil)))
	front := &httptest.Server{Listener: listener, Config: &http.Server{Handler: e}}
	front.Start()
	t.Cleanup(front.Close)
	return e, config(front.URL)
}

func config(endpoint string) aws.Config {
	proxy := func(r *http.Request) (*url.URL, error) {
		if r.URL.Hostname() == "127.0.0.1" {
			return nil, nil
		}
		return url.Parse(endpoint)
	}
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("plan", "secret", ""),
		HTTPClient:   &http.Client{Transport: &http.Transport{Proxy: proxy, MaxIdleConnsPerHost: 64}},
	}
}

func TestCallsGoThroughToMotoAndAreObserved(t *testing.T) {
	e, cfg := start(t)
	var mu sync.Mutex
	var calls []Call
	e.Observe(func(c Call) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, c)
	})
	client := s3.NewFromConfig(cfg)
	bucket, key := aws.String("site"), aws.String("pr1/abc/a b.bin")
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("preview "), 1<<20)
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, content) {
		t.Errorf("%d bytes came back, want %d", len(body), len(content))
	}
	if _, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("none")}); err == nil {
		t.Error("got an object that is not there")
	}
	want := []Call{
		{Service: "s3", Operation: "CreateBucket", Caller: "plan", Key: "plan", Status: 200},
		{Service: "s3", Operation: "PutObject", Caller: "plan", Key: "plan", Status: 200},
		{Service: "s3", Operation: "GetObject", Caller: "plan", Key: "plan", Status: 200},
		{Service: "s3", Operation: "GetObject", Caller: "plan", Key: "plan", Status: 404},
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(want, calls, cmpopts.IgnoreFields(Call{}, "Start", "Duration")); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	_, cfg := start(t)
	client := dynamodb.NewFromConfig(cfg)
	table := aws.String("records")
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "counter"}}
	const writers, each = 16, 8
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if _, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
					TableName: table, Key: key, UpdateExpression: aws.String("ADD n :one"),
					ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if n := got.Item["n"].(*types.AttributeValueMemberN).Value; n != fmt.Sprint(writers*each) {
		t.Errorf("the counter is %s after %d additions", n, writers*each)
	}
}

func TestAnAnswerIsRewritten(t *testing.T) {
	e, cfg := start(t)
	e.Rewrite("elasticloadbalancing", "CreateTargetGroup", func(request, response []byte) []byte {
		if !strings.Contains(string(request), "Name=svc") {
			t.Errorf("the request is %q", request)
		}
		return bytes.ReplaceAll(response, []byte("<TargetGroupName>svc</TargetGroupName>"), []byte("<TargetGroupName>rewritten</TargetGroupName>"))
	})
	e.Rewrite("dynamodb", "ListTables", func(_, _ []byte) []byte { return []byte(`{"TableNames":["rewritten"]}`) })
	tg, err := elasticloadbalancingv2.NewFromConfig(cfg).CreateTargetGroup(t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("svc"), TargetType: "lambda",
	})
	if err != nil {
		t.Fatal(err)
	}
	if name := aws.ToString(tg.TargetGroups[0].TargetGroupName); name != "rewritten" {
		t.Errorf("name = %q", name)
	}
	tables, err := dynamodb.NewFromConfig(cfg).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rewritten"}, tables.TableNames); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

func TestTheInterpreterCallsBackThroughTheEdge(t *testing.T) {
	e, cfg := start(t)
	invoked := make(chan string, 1)
	e.Handle("lambda", "Invoke", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		invoked <- string(body)
		_, _ = io.WriteString(w, `{"answer":42}`)
	}))
	client := sfn.NewFromConfig(cfg)
	machine, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("m"), RoleArn: aws.String("arn:aws:iam::123456789012:role/m"),
		Definition: aws.String(`{"StartAt":"A","States":{"A":{"Type":"Task","End":true,"OutputPath":"$.Payload",
			"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"arn:aws:lambda:us-east-1:123456789012:function:plan","Payload.$":"$"}}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: machine.StateMachineArn, Name: aws.String("e"), Input: aws.String(`{"q":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-invoked; got != `{"q": 1}` {
		t.Errorf("payload = %s", got)
	}
	if got := waitForEnd(t.Context(), t, client, run.ExecutionArn); got != `{"answer": 42}` {
		t.Errorf("output = %s", got)
	}
}

func waitForEnd(ctx context.Context, t *testing.T, client *sfn.Client, arn *string) string {
	t.Helper()
	for {
		d, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: arn})
		if err != nil {
			t.Fatal(err)
		}
		if d.Status != sfntypes.ExecutionStatusRunning {
			return aws.ToString(d.Output)
		}
	}
}

func TestTheKeyValueStoreIsReachedThroughTheProxy(t *testing.T) {
	e, cfg := start(t)
	store := kvs.New()
	e.Handle("cloudfront-keyvaluestore", "", store)
	e.Forward(func(string) bool { return true }, answers("preview"))
	cfg.BaseEndpoint = aws.String(strings.Replace(*cfg.BaseEndpoint, "127.0.0.1", "localhost", 1))
	client := cloudfrontkeyvaluestore.NewFromConfig(cfg)
	arn := aws.String("arn:aws:cloudfront::123456789012:key-value-store/1")
	d, err := client.DescribeKeyValueStore(t.Context(), &cloudfrontkeyvaluestore.DescribeKeyValueStoreInput{KvsARN: arn})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutKey(t.Context(), &cloudfrontkeyvaluestore.PutKeyInput{KvsARN: arn, IfMatch: d.ETag, Key: aws.String("pr1"), Value: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	if value, _ := store.Get("pr1"); value != "x" {
		t.Errorf("the store has %q", value)
	}
}

func TestAProxiedRequestGoesWhereItsHostSays(t *testing.T) {
	e := New(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, slog.New(slog.DiscardHandler))
	e.Forward(func(host string) bool { return strings.HasPrefix(host, "pr1.") }, answers("preview"))
	e.Handle("s3", "", answers("s3"))
	front := httptest.NewServer(e)
	defer front.Close()
	other := httptest.NewServer(answers("other"))
	defer other.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(other.URL, "http://"))
	proxy, _ := url.Parse(front.URL)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	for name, c := range map[string]struct {
		url, want string
		status    int
	}{
		"a forwarded host goes to its handler": {"http://pr1.localhost:8080/", "preview", 200},
		"a name below localhost is here":       {"http://other.localhost:" + port + "/", "other", 200},
		"an account before the host is AWS":    {"http://123456789012.127.0.0.1:4566/bucket", "s3", 200},
		"nothing leaves the machine":           {"http://example.com/", "not on loopback", 502},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := client.Get(c.url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != c.status || !strings.Contains(string(body), c.want) {
				t.Errorf("answer = %d %q, want %d %q", res.StatusCode, body, c.status, c.want)
			}
		})
	}
}

func answers(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}
