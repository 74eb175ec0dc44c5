package function

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"previewenv/infra/local/process"
)

// initTimeout bounds the start of a function
// (docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const initTimeout = 10 * time.Second

// spec is what all processes of a function have in common.
type spec struct {
	name, binary, arn string
	environment       []string
	timeout           time.Duration
	log               io.Writer
}

// sandbox is one process with a Runtime API of its own.
type sandbox struct {
	spec   spec
	key    string // access key of the process, and of no other
	child  *process.Child
	server *http.Server
	work   chan *invocation
	// failed has the error that the process reported of its own start.
	failed chan Result

	mu      sync.Mutex
	current *invocation // that the process works on
	doomed  bool
}

// invocation is one request to a function.
type invocation struct {
	id      string
	payload []byte
	result  chan Result // of capacity 1, so that nobody has to wait for it
}

func startSandbox(sp spec, key string) (*sandbox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	s := &sandbox{spec: sp, key: key, work: make(chan *invocation), failed: make(chan Result, 1)}
	mux := http.NewServeMux()
	const root = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+root+"/invocation/next", s.next)
	mux.HandleFunc("POST "+root+"/invocation/{id}/response", s.answer)
	mux.HandleFunc("POST "+root+"/invocation/{id}/error", s.answer)
	mux.HandleFunc("POST "+root+"/init/error", s.initError)
	s.server = &http.Server{Handler: mux}
	go func() { _ = s.server.Serve(listener) }()
	cmd := exec.Command(sp.binary)
	cmd.Dir = filepath.Dir(sp.binary)
	cmd.Env = append(append([]string{}, sp.environment...),
		// The edge tells by the access key who calls, and for what.
		"AWS_ACCESS_KEY_ID="+key,
		"AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(),
		"AWS_LAMBDA_LOG_STREAM_NAME="+time.Now().UTC().Format("2006/01/02")+"/[$LATEST]"+strings.ReplaceAll(newID(), "-", ""))
	cmd.Stdout, cmd.Stderr = sp.log, sp.log
	if s.child, err = process.Start(cmd); err != nil {
		_ = s.server.Close()
		return nil, err
	}
	return s, nil
}

func (s *sandbox) close() {
	s.child.Kill()
	_ = s.server.Close()
}

// doom makes the process end instead of giving its next answer.
func (s *sandbox) doom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doomed = true
}

// serving is the payload that the process works on, or nil.
func (s *sandbox) serving() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil
	}
	return s.current.payload
}

func (s *sandbox) ended() bool {
	select {
	case <-s.child.Done():
		return true
	default:
		return false
	}
}

// invoke hands inv to the process and waits for the end of it. picked is false if
// the process never took it.
func (s *sandbox) invoke(inv *invocation) (result Result, picked bool) {
	start := time.NewTimer(initTimeout)
	defer start.Stop()
	select {
	case s.work <- inv:
	case result := <-s.failed:
		return result, false
	case <-s.child.Done():
		return s.exited(inv), false
	case <-start.C:
		s.close()
		return unhandled("Sandbox.Timedout", "RequestId: %s Error: Task timed out after %.2f seconds", inv.id, initTimeout.Seconds()), false
	}
	timer := time.NewTimer(s.spec.timeout)
	defer timer.Stop()
	select {
	case result := <-inv.result:
		return result, true
	case <-s.child.Done():
		return s.exited(inv), true
	case <-timer.C:
		s.close()
		return unhandled("Sandbox.Timedout", "RequestId: %s Error: Task timed out after %.2f seconds", inv.id, s.spec.timeout.Seconds()), true
	}
}

// exited is the result when the process has ended: its answer, or its report of
// a failed start, if that came first.
func (s *sandbox) exited(inv *invocation) Result {
	select {
	case result := <-inv.result:
		return result
	case result := <-s.failed:
		return result
	default:
	}
	how := "exit status 0"
	if err := s.child.Err(); err != nil {
		how = err.Error()
	}
	return unhandled("Runtime.ExitError", "RequestId: %s Error: Runtime exited with error: %s", inv.id, how)
}

// next is the process asking for work.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	var inv *invocation
	select {
	case inv = <-s.work:
	case <-r.Context().Done():
		return
	}
	s.mu.Lock()
	s.current = inv
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(s.spec.timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", s.spec.arn)
	h.Set("Lambda-Runtime-Trace-Id", traceID())
	_, _ = w.Write(inv.payload)
}

// answer is the process reporting a response or an error.
func (s *sandbox) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.doomed {
		s.mu.Unlock()
		s.child.Kill()
		return
	}
	inv := s.current
	s.current = nil
	s.mu.Unlock()
	if inv == nil || inv.id != r.PathValue("id") {
		http.Error(w, `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`, http.StatusBadRequest)
		return
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	result := Result{Payload: payload}
	switch {
	case err != nil:
		result = unhandled("Runtime.ExitError", "RequestId: %s Error: response ended early: %v", inv.id, err)
	case len(payload) > maxPayload:
		result = unhandled("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)
	case strings.HasSuffix(r.URL.Path, "/error"):
		result.FunctionError = "Unhandled"
	}
	inv.result <- result
	w.WriteHeader(http.StatusAccepted)
}

// initError is the process reporting that it cannot start.
func (s *sandbox) initError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxPayload))
	if err != nil || len(bytes.TrimSpace(payload)) == 0 {
		payload = []byte(`{"errorType":"Runtime.Unknown"}`)
	}
	select {
	case s.failed <- Result{Payload: payload, FunctionError: "Unhandled"}:
	default:
	}
	w.WriteHeader(http.StatusAccepted)
}

// traceID is of the form that X-Ray wants, unsampled.
func traceID() string {
	random := strings.ReplaceAll(newID(), "-", "")
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), random[:24], random[8:24])
}
