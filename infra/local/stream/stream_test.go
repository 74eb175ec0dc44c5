package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/moto"
)

// table makes a table with a stream in a real emulator.
func table(t *testing.T) (aws.Config, *dynamodb.Client) {
	t.Helper()
	bin, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		t.Fatal(err)
	}
	server, err := moto.Start(t.Context(), moto.Options{Python: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL.String()),
		Credentials: credentials.NewStaticCredentialsProvider("stream", "secret", ""),
	}
	client := dynamodb.NewFromConfig(cfg)
	_, err = client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("records"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, client
}

func put(t *testing.T, client *dynamodb.Client, item map[string]types.AttributeValue) {
	t.Helper()
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: item}); err != nil {
		t.Fatal(err)
	}
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// poll starts a poller whose batches come out of the channel; fail is how often
// the first batch is refused.
func poll(t *testing.T, cfg aws.Config, fail int) (*Poller, <-chan events.DynamoDBEvent) {
	t.Helper()
	out := make(chan events.DynamoDBEvent, 100)
	ctx, cancel := context.WithCancel(t.Context())
	p := New(cfg, "records", func(_ context.Context, payload []byte) error {
		if fail > 0 {
			fail--
			return errors.New("not now")
		}
		var e events.DynamoDBEvent
		if err := json.Unmarshal(payload, &e); err != nil {
			t.Error(err)
		}
		out <- e
		return nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(out) // so that nobody waits for a poller that has failed
		if err := p.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return p, out
}

// next is the next batch; a poller that has failed has none.
func next(t *testing.T, batches <-chan events.DynamoDBEvent) events.DynamoDBEvent {
	t.Helper()
	e, ok := <-batches
	if !ok {
		t.FailNow()
	}
	return e
}

func TestAChangeArrivesAsLambdasEvent(t *testing.T) {
	cfg, client := table(t)
	put(t, client, map[string]types.AttributeValue{"id": str("pr1"), "n": &types.AttributeValueMemberN{Value: "1"}})
	p, batches := poll(t, cfg, 0)
	first := next(t, batches).Records[0]
	put(t, client, map[string]types.AttributeValue{
		"id": str("pr1"), "ok": &types.AttributeValueMemberBOOL{Value: true}, "none": &types.AttributeValueMemberNULL{Value: true},
		"bytes": &types.AttributeValueMemberB{Value: []byte{1, 2}}, "names": &types.AttributeValueMemberSS{Value: []string{"a"}},
		"nested": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x")}},
		}},
	})
	p.Nudge()
	second := next(t, batches).Records[0]
	if first.EventName != "INSERT" || second.EventName != "MODIFY" || first.EventSource != "aws:dynamodb" || first.EventSourceArn == "" {
		t.Errorf("records = %+v, %+v", first, second)
	}
	if first.Change.Keys["id"].String() != "pr1" || first.Change.NewImage["n"].Number() != "1" || len(first.Change.OldImage) != 0 {
		t.Errorf("first change = %+v", first.Change)
	}
	image := second.Change.NewImage
	if !image["ok"].Boolean() || !image["none"].IsNull() || string(image["bytes"].Binary()) != "\x01\x02" ||
		image["names"].StringSet()[0] != "a" || image["nested"].Map()["list"].List()[0].String() != "x" {
		t.Errorf("second image = %+v", image)
	}
	if second.Change.OldImage["n"].Number() != "1" || second.Change.SequenceNumber <= first.Change.SequenceNumber {
		t.Errorf("second change = %+v", second.Change)
	}
}

func TestRecordsKeepTheirOrderThroughFailures(t *testing.T) {
	cfg, client := table(t)
	var want []string
	for i := range 120 {
		id := fmt.Sprintf("pr%d", i)
		want = append(want, id)
		put(t, client, map[string]types.AttributeValue{"id": str(id)})
	}
	_, batches := poll(t, cfg, 2)
	var got []string
	for len(got) < len(want) {
		for _, r := range (<-batches).Records {
			got = append(got, r.Change.Keys["id"].String())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestABatchThatNeverSucceedsHoldsNothingUp(t *testing.T) {
	cfg, client := table(t)
	put(t, client, map[string]types.AttributeValue{"id": str("bad")})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls := 0
	err := Poll(ctx, cfg, "records", func(context.Context, []byte) error {
		calls++
		switch {
		case calls < attempts:
			return errors.New("never")
		case calls == attempts:
			put(t, client, map[string]types.AttributeValue{"id": str("good")})
			return errors.New("never")
		}
		cancel()
		return nil
	})
	if err != nil || calls != attempts+1 {
		t.Errorf("%d calls, want %d, then %v", calls, attempts+1, err)
	}
}

func TestATableWithoutAStreamIsAnError(t *testing.T) {
	cfg, client := table(t)
	if _, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String("records"), StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)},
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"records", "missing"} {
		if err := Poll(t.Context(), cfg, name, nil); err == nil {
			t.Errorf("%s was polled", name)
		}
	}
}
