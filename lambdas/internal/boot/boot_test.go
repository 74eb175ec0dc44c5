package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// asFunction makes this test binary a function, so that the real one is tested.
const asFunction = "BOOT_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		Start(rule)
		return
	}
	os.Exit(m.Run())
}

type settings struct {
	Greeting string `env:"GREETING,required,notEmpty"`
	Table    string `env:"TABLE,required,notEmpty"`
}

type input struct {
	Name  string   `json:"name"`
	Tags  []string `json:"tags"`
	Times int      `json:"times"`
}

func rule(_ context.Context, c settings, cfg aws.Config) (func(context.Context, input) (map[string]string, error), error) {
	return func(_ context.Context, in input) (map[string]string, error) {
		switch in.Name {
		case "nobody":
			return nil, fmt.Errorf("greet: %w", fault.New(statemachine.ErrNoRoom, "The room is full.").WithNext("Wait."))
		case "later":
			return nil, fault.New(statemachine.ErrNotYet, "Not yet.")
		case "wrapped":
			return nil, fmt.Errorf("greet: %w", errors.New("odd"))
		case "panic":
			panic("a defect")
		}
		return map[string]string{"text": c.Greeting + " " + in.Name, "region": cfg.Region, "retry": string(cfg.RetryMode)}, nil
	}, nil
}

// answer is what a function sent to the Runtime API.
type answer struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
	Text    string `json:"text"`
	Region  string `json:"region"`
	Retry   string `json:"retry"`
}

// run gives one payload to this binary as a function over the Runtime API, and
// returns what it answers and logs.
func run(t *testing.T, payload string, env ...string) (got answer, log string) {
	t.Helper()
	answers := make(chan answer, 1)
	given := make(chan struct{}, 1)
	given <- struct{}{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			select {
			case <-given:
				w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request-1")
				w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
				_, _ = io.WriteString(w, payload)
			case <-r.Context().Done():
			}
			return
		}
		var a answer
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			t.Errorf("read answer: %v", err)
		}
		w.WriteHeader(http.StatusAccepted)
		answers <- a
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	function := exec.CommandContext(ctx, os.Args[0])
	var output bytes.Buffer
	function.Stdout, function.Stderr = &output, &output
	function.Env = append(env, asFunction+"=1", "AWS_REGION=eu-west-1", "AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	ended := make(chan struct{})
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = function.Wait()
		close(ended)
	}()
	select {
	case got = <-answers:
	case <-ended:
	}
	cancel()
	<-ended
	return got, output.String()
}

func TestAFunctionOverTheRuntimeAPI(t *testing.T) {
	tests := []struct {
		rule, payload string
		want          answer
		log, level    string // what one line of the log has; "" is no line
	}{
		{"the rule gets its settings and an AWS configuration", `{"name":"Ann"}`, answer{Text: "hello Ann", Region: "eu-west-1", Retry: "standard"}, "", ""},
		{"a wrapped fault is reported by its name", `{"name":"nobody"}`, answer{Type: "NoRoom", Message: "The room is full. Wait."}, "greet: The room is full", "ERROR"},
		{"waiting is no error in the log", `{"name":"later"}`, answer{Type: "NotYet", Message: "Not yet."}, "Not yet", "INFO"},
		{"a wrapped error is Internal, not wrapError", `{"name":"wrapped"}`, answer{Type: "Internal", Message: "greet: odd"}, "greet: odd", "ERROR"},
		{"a panic is Internal", `{"name":"panic"}`, answer{Type: "Internal", Message: "The function panicked; its log says where."}, "a defect", "ERROR"},
		{"an input of the wrong type is a bad request", `{"name":"secret-name","tags":"x"}`,
			answer{Type: "BadRequest", Message: `The field "tags" must be a list. Change it and start again.`}, "tags", "ERROR"},
		{"a fraction is no whole number", `{"times":1.5}`,
			answer{Type: "BadRequest", Message: `The field "times" must be a whole number. Change it and start again.`}, "times", "ERROR"},
		{"an input of another shape is a bad request", `["secret-name"]`,
			answer{Type: "BadRequest", Message: "The input cannot be read as JSON of the type that this function takes. Compare it with the example in the README."}, "cannot be read", "ERROR"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got, log := run(t, test.payload, "GREETING=hello", "TABLE=t")
			if got != test.want {
				t.Errorf("got %+v, want %+v\n%s", got, test.want, log)
			}
			if strings.Contains(log, "secret-name") {
				t.Errorf("the payload is in the log: %s", log)
			}
			lines := strings.Split(strings.TrimSpace(log), "\n")
			if test.level == "" {
				if log != "" {
					t.Errorf("logged %s", log)
				}
				return
			}
			// Once, though aws-lambda-go would log it too.
			if !strings.Contains(lines[0], `"level":"`+test.level+`"`) || !strings.Contains(lines[0], test.log) ||
				!strings.Contains(lines[0], `"requestId":"request-1"`) || len(lines) != 1 {
				t.Errorf("logged %d lines, want one of %s with %q and the request:\n%s", len(lines), test.level, test.log, log)
			}
		})
	}
}

func TestAFunctionThatLacksSettingsNamesThemAll(t *testing.T) {
	got, log := run(t, `{}`)
	if got != (answer{}) || !strings.Contains(log, "GREETING") || !strings.Contains(log, "TABLE") {
		t.Errorf("got %+v and the log\n%s", got, log)
	}
}

func TestAFunctionOutsideOfLambdaSaysSo(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "")
	if _, err := prepare(t.Context(), rule); err == nil || !strings.Contains(err.Error(), "make local") {
		t.Errorf("got %v", err)
	}
}
