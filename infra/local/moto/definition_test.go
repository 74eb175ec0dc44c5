package moto_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/free"
	"previewenv/infra/local/moto"
	"previewenv/statemachine"
)

// refuses are functions that refuse everything, and note who was asked what.
type refuses struct {
	mu    sync.Mutex
	asked []string // "<function> <payload>"
}

func (f *refuses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name := r.URL.Path[:strings.LastIndex(r.URL.Path, "/invocations")]
	f.mu.Lock()
	f.asked = append(f.asked, name[strings.LastIndexAny(name, ":/")+1:]+" "+string(body))
	f.mu.Unlock()
	w.Header().Set("X-Amz-Function-Error", "Unhandled")
	_, _ = io.WriteString(w, `{"errorType":"BadRequest","errorMessage":"refused in words"}`)
}

// TestWhateverTheInputIsAFunctionIsAskedAndItsWordsAreTheEnd runs the definition with
// functions that refuse: no input may end before one of them has read it.
func TestWhateverTheInputIsAFunctionIsAskedAndItsWordsAreTheEnd(t *testing.T) {
	functions := &refuses{}
	client := interpreter(t, functions)
	machine, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("previews"), RoleArn: aws.String("arn:aws:iam::123456789012:role/previews"),
		Definition: aws.String(statemachine.Render(func(name string) string {
			return "arn:aws:lambda:us-east-1:123456789012:function:" + name
		})),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, input, asked string }{
		{"a request", `{"commitId":"abcd123"}`, "plan"},
		{"no field at all", `{}`, "plan"},
		{"a removal", `{"action":"cleanup","environment":"pr1"}`, "hold"},
		{"a removal of nothing", `{"action":"cleanup"}`, "plan"},
		{"a removal of null", `{"action":"cleanup","environment":null}`, "plan"},
		{"a removal of what is no text", `{"action":"cleanup","environment":5}`, "plan"},
		{"an action in capitals", `{"action":"Cleanup","environment":"pr1"}`, "plan"},
		{"an action that is no text", `{"action":{"cleanup":true},"environment":"pr1"}`, "plan"},
		{"a revision without an environment", `{"revision":7}`, "plan"},
		{"a list", `[1]`, "plan"},
		{"text", `"pr1"`, "plan"},
		{"a number", `5`, "plan"},
		{"null", `null`, "plan"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			functions.asked = nil
			out := run(t, client, *machine.StateMachineArn, c.input)
			if out.Status != types.ExecutionStatusFailed || aws.ToString(out.Error) != "BadRequest" || !strings.Contains(aws.ToString(out.Cause), "refused in words") {
				t.Errorf("it ended as %s with %q: %q", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
			}
			if len(functions.asked) == 0 {
				t.Fatal("no function was asked")
			}
			name, payload, _ := strings.Cut(functions.asked[0], " ")
			var given struct{ Request json.RawMessage }
			if err := json.Unmarshal([]byte(payload), &given); err != nil {
				t.Fatal(err)
			}
			if name != c.asked || compact(t, string(given.Request)) != compact(t, c.input) {
				t.Errorf("%s was asked for %s, want %s for %s", name, given.Request, c.asked, c.input)
			}
		})
	}
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// interpreter is the emulator's, whose Lambda is given.
func interpreter(t *testing.T, lambda http.Handler) *sfn.Client {
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
	front := edge.New(server.URL, slog.New(slog.DiscardHandler))
	front.Handle("lambda", "Invoke", lambda)
	web := &http.Server{Handler: front, ReadHeaderTimeout: time.Minute}
	go func() { _ = web.Serve(listener) }()
	t.Cleanup(func() { _ = web.Close() })
	return sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + listener.Addr().String()),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func run(t *testing.T, client *sfn.Client, machine, input string) *sfn.DescribeExecutionOutput {
	t.Helper()
	started, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &machine, Input: &input, Name: aws.String(fmt.Sprintf("test-%d", time.Now().UnixNano())),
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		out, err := client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		if out.Status != types.ExecutionStatusRunning || time.Now().After(deadline) {
			return out
		}
	}
}
