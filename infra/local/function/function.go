// Package function runs the real function binaries as AWS Lambda does: over the
// Runtime API, one invocation at a time in a process, more processes when more is
// asked at once, a process again for the next invocation. It answers Lambda's
// Invoke and plays function URLs. It knows nothing of what the functions do.
package function

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Account is the account of every ARN here, which is moto's own.
const Account = "123456789012"

// maxPayload bounds a synchronous request and its response, 6 MB
// (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxPayload = 6 << 20

// Options say what there is to run.
type Options struct {
	// Binaries has the path of each function's bootstrap by the function's name.
	Binaries map[string]string
	// Environment is a function's own, as KEY=value; AWS's are added to it.
	Environment func(name string) []string
	// Log takes what a function prints; nil is nowhere.
	Log func(name string) io.Writer
	// Concurrency is how many processes of one function may run; 0 is 10. Who asks
	// for more waits, where AWS would throttle.
	Concurrency int
	// Timeout ends an invocation and its process; 0 is 30 seconds.
	Timeout time.Duration
	// Region is that of the ARNs; empty is us-east-1.
	Region string
}

// Result is how an invocation ended.
type Result struct {
	Payload []byte
	// FunctionError is empty, or "Unhandled" with an error as the payload:
	// {"errorType", "errorMessage"}.
	FunctionError string
}

// Functions runs functions until Close.
type Functions struct {
	options Options
	pools   map[string]*pool
}

// New returns the functions; their processes start when they are first needed.
func New(o Options) *Functions {
	if o.Concurrency == 0 {
		o.Concurrency = 10
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Environment == nil {
		o.Environment = func(string) []string { return nil }
	}
	if o.Log == nil {
		o.Log = func(string) io.Writer { return io.Discard }
	}
	f := &Functions{options: o, pools: map[string]*pool{}}
	for name, binary := range o.Binaries {
		f.pools[name] = &pool{
			slots: make(chan struct{}, o.Concurrency),
			spec: spec{
				name: name, binary: binary, arn: f.ARN(name), timeout: o.Timeout,
				environment: f.environment(name, binary),
				log:         &lockedWriter{next: o.Log(name)},
			},
		}
	}
	return f
}

// ARN is that of the named function.
func (f *Functions) ARN(name string) string {
	return "arn:aws:lambda:" + f.options.Region + ":" + Account + ":function:" + name
}

// Use deploys another binary of the named function.
func (f *Functions) Use(name, binary string) error {
	p, ok := f.pools[name]
	if !ok {
		return &NotFoundError{name}
	}
	p.use(binary, f.environment(name, binary))
	return nil
}

// NotFoundError says that no function has the name.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("no function is named %q", e.Name) }

// Invoke runs the named function once. An error means that it was not run: there
// is no such function, or ctx ended before a process was free. A ctx that ends
// later ends the wait, not the function, as on AWS.
func (f *Functions) Invoke(ctx context.Context, name string, payload []byte) (Result, error) {
	p, ok := f.pools[name]
	if !ok {
		return Result{}, &NotFoundError{name}
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if err := p.enter(ctx); err != nil {
		return Result{}, fmt.Errorf("invoke %s: %w", name, err)
	}
	done := make(chan Result, 1)
	go func() {
		defer p.leave()
		done <- p.run(&invocation{id: newID(), payload: payload, result: make(chan Result, 1)})
	}()
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return Result{}, fmt.Errorf("invoke %s: %w", name, ctx.Err())
	}
}

// Close ends every process; invocations under way end as crashed.
func (f *Functions) Close() error {
	var all sync.WaitGroup
	for _, p := range f.pools {
		all.Go(p.close)
	}
	all.Wait()
	return nil
}

// environment is what Lambda sets
// (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), with the
// function's own over the settings and below the reserved ones. Nothing of the
// machine's own credentials gets in.
func (f *Functions) environment(name, binary string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + os.TempDir(),
		"TMPDIR=" + os.TempDir(),
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"AWS_REGION=" + f.options.Region,
		"AWS_DEFAULT_REGION=" + f.options.Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_EC2_METADATA_DISABLED=true",
	}
	env = append(env, f.options.Environment(name)...)
	return append(env,
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT="+filepath.Dir(binary),
		"AWS_LAMBDA_FUNCTION_NAME="+name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+name,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local",
	)
}

// unhandled is the result of an invocation that ended without the function's word.
func unhandled(errorType, format string, args ...any) Result {
	payload, _ := json.Marshal(struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{errorType, fmt.Sprintf(format, args...)})
	return Result{Payload: payload, FunctionError: "Unhandled"}
}

// newID returns a random UUID, which is what request ids are.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// lockedWriter lets several processes share a log.
type lockedWriter struct {
	mu   sync.Mutex
	next io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next.Write(p)
}
