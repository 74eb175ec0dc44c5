package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

type probed struct {
	Count     int
	PID       int
	Name      string
	Key       string
	Own       string
	Secret    string
	ARN       string
	ID        string
	Remaining float64
}

// start builds the probe and returns it as the functions "probe" and "broken".
func start(t *testing.T, o Options) *Functions {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", binary, "./testdata/probe").CombinedOutput()
	if err != nil {
		t.Fatalf("build probe: %v\n%s", err, out)
	}
	o.Binaries = map[string]string{"probe": binary, "broken": binary, "absent": binary + "-not-there"}
	o.Environment = func(name string) []string {
		if name == "broken" {
			return []string{"BROKEN=1"}
		}
		return []string{"OWN=" + name + "'s", "AWS_ACCESS_KEY_ID=theirs"}
	}
	f := New(o)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func invoke(t *testing.T, f *Functions, event string) probed {
	t.Helper()
	result, err := f.Invoke(t.Context(), "probe", []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	if result.FunctionError != "" {
		t.Fatalf("%s: %s", result.FunctionError, result.Payload)
	}
	var p probed
	if err := json.Unmarshal(result.Payload, &p); err != nil {
		t.Fatalf("%s: %v", result.Payload, err)
	}
	return p
}

func TestAWarmProcessIsUsedAgain(t *testing.T) {
	t.Setenv("NOT_MINE", "a credential of the machine")
	var log bytes.Buffer
	f := start(t, Options{Log: func(string) io.Writer { return &log }})
	first, second := invoke(t, f, `{}`), invoke(t, f, ``)
	if first.PID != second.PID || second.Count != 2 {
		t.Errorf("the second invocation went to a new process: %+v, %+v", first, second)
	}
	if first.Name != "probe" || first.Key != "probe.1" || first.Own != "probe's" || first.Secret != "" {
		t.Errorf("environment: %+v", first)
	}
	if first.ARN != "arn:aws:lambda:us-east-1:123456789012:function:probe" || first.ID == second.ID || len(first.ID) != 36 {
		t.Errorf("context: %+v", first)
	}
	if first.Remaining < 25 || first.Remaining > 30 {
		t.Errorf("%.1f s remain of 30", first.Remaining)
	}
	_ = f.Close()
	if got := log.String(); got != "invocation 1\ninvocation 2\n" {
		t.Errorf("log = %q", got)
	}
}

func TestOneProcessHandlesOneInvocationAtATime(t *testing.T) {
	f := start(t, Options{Concurrency: 3})
	var mu sync.Mutex
	pids := map[int]int{}
	var all sync.WaitGroup
	for range 9 {
		all.Go(func() {
			p := invoke(t, f, `{"Millis":150}`)
			mu.Lock()
			defer mu.Unlock()
			pids[p.PID]++
		})
	}
	all.Wait()
	if len(pids) != 3 {
		t.Errorf("9 invocations at once ran in %d processes, want 3: %v", len(pids), pids)
	}
}

func TestFaultsAreReportedAsLambdaReportsThem(t *testing.T) {
	f := start(t, Options{Timeout: 300 * time.Millisecond})
	for name, c := range map[string]struct{ function, event, errorType, message string }{
		"a returned error has its Go type":     {"probe", `{"Do":"fail"}`, "errorString", "as it was told"},
		"a panic has its value's type":         {"probe", `{"Do":"panic"}`, "string", "as it was told"},
		"a process that ends is an exit error": {"probe", `{"Do":"exit"}`, "Runtime.ExitError", "Runtime exited with error: exit status 7"},
		"a timeout is the sandbox's":           {"probe", `{"Millis":5000}`, "Sandbox.Timedout", "Task timed out after 0.30 seconds"},
		"a response is at most 6 MB":           {"probe", `{"Do":"large"}`, "Function.ResponseSizeTooLarge", "exceeded"},
		"a start that fails is an exit error":  {"broken", `{}`, "Runtime.ExitError", "exit status 3"},
		"a binary that is not there":           {"absent", `{}`, "Runtime.InvalidEntrypoint", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := f.Invoke(t.Context(), c.function, []byte(c.event))
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(result.Payload, &got); err != nil {
				t.Fatalf("%s: %v", result.Payload, err)
			}
			if result.FunctionError != "Unhandled" || got.ErrorType != c.errorType || !strings.Contains(got.ErrorMessage, c.message) {
				t.Errorf("result = %s %s", result.FunctionError, result.Payload)
			}
			if c.function == "probe" {
				invoke(t, f, `{}`) // the next invocation is none the worse for it
			}
		})
	}
}

func TestWhoWaitsForAProcessMayGiveUp(t *testing.T) {
	f := start(t, Options{Concurrency: 1})
	event := `{"Millis":1000}`
	go func() { _, _ = f.Invoke(context.WithoutCancel(t.Context()), "probe", []byte(event)) }()
	serving(t, f, "probe.1", event)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, "probe", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Invoke = %v", err)
	}
	if p := invoke(t, f, `{}`); p.Count != 2 {
		t.Errorf("invocation %d, want the second", p.Count)
	}
}

func TestAnUnknownFunctionIsAnError(t *testing.T) {
	_, err := New(Options{}).Invoke(t.Context(), "nobody", nil)
	if !isMissing(err) {
		t.Errorf("Invoke = %v", err)
	}
}

func TestADeploymentLetsWhatIsUnderWayEndWithTheOldBinary(t *testing.T) {
	f := start(t, Options{})
	first := invoke(t, f, `{}`)
	under := make(chan probed)
	go func() { under <- invoke(t, f, `{"Millis":500}`) }()
	for f.pools["probe"].idleCount() > 0 {
		time.Sleep(time.Millisecond)
	}
	other := filepath.Join(t.TempDir(), "bootstrap")
	binary, err := os.ReadFile(f.pools["probe"].spec.binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, binary, 0o755); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	if err := f.Use("probe", other); err != nil {
		t.Fatal(err)
	}
	if ended := <-under; ended.PID != first.PID || ended.Count != 2 {
		t.Errorf("what was under way ended in process %d after %d invocations, want %d after 2", ended.PID, ended.Count, first.PID)
	}
	if next := invoke(t, f, `{}`); next.PID == first.PID || next.Count != 1 {
		t.Errorf("the next invocation went to the old process: %+v", next)
	}
	var missing *NotFoundError
	if err := f.Use("nobody", other); !errors.As(err, &missing) {
		t.Errorf("Use = %v", err)
	}
}

func (p *pool) idleCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}
