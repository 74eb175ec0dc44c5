// Package edge is the endpoint of every AWS client in the local stack. It tells
// from a request which service and operation is meant, hands it to whoever took
// that over, and passes the rest on to the emulator. It is also the HTTP proxy of
// the functions, because the KeyValueStore client puts the account before the
// host. It knows nothing of what the handlers do.
package edge

import (
	"bytes"
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"previewenv/infra/local/model"
)

// maxBody bounds what is held in memory of a request; S3's bodies, which may be
// larger, are streamed.
const maxBody = 64 << 20

// Call is what an observer is told of a finished call.
type Call struct {
	// Service is the name that the client signed for, such as "states" or
	// "elasticloadbalancing"; DynamoDB's streams are "dynamodbstreams".
	Service   string
	Operation string // AWS's name of it; empty where it cannot be told
	// Caller is who the access key says: a function, a build's project, an agent, or
	// StepFunctions; empty for an unsigned call.
	Caller string
	// Key is the whole access key: each process of a function has one of its own,
	// such as "rule.3".
	Key string
	// Environment and Step are what the call was made for, as the payload of its
	// invocation tells; empty where it cannot be told. See Purpose.
	Environment, Step string
	// N counts the calls of this Environment, Caller, Step, Service and Operation
	// from 1 on; 0 without an Environment.
	N int
	// Stale is true if another answer to the same request was current a moment ago,
	// so that AWS might have given that one. See Remember.
	Stale bool
	// Fault is what was done to the call; empty is nothing.
	Fault Kind
	// Status is 0 where the caller got no answer.
	Status   int
	Start    time.Time
	Duration time.Duration
}

// Edge routes AWS calls. Set it up before it serves, or while.
type Edge struct {
	log  *slog.Logger
	moto *upstream

	mu        sync.RWMutex
	handlers  map[operation]http.Handler
	rewrites  map[operation][]rewrite
	upstreams map[string]*upstream // of services with an emulator of their own
	observers []func(Call)
	overhears []func(Call, *http.Request, []byte)
	forwards  []forward
	serving   func(key string) []byte
	killer    Killer
	models    *model.Models
	violated  func(Call, []model.Violation)

	struck struck
	limits limits
	lag    lag
}

type operation struct{ service, name string }

type rewrite func(request, response []byte) []byte

type forward struct {
	match   func(host string) bool
	handler http.Handler
}

// New returns an edge before the emulator at moto.
func New(moto *url.URL, log *slog.Logger) *Edge {
	return &Edge{
		log:      log,
		moto:     newUpstream(moto, log),
		handlers: map[operation]http.Handler{},
		rewrites: map[operation][]rewrite{}, upstreams: map[string]*upstream{},
		struck: newStruck(),
	}
}

// Handle gives an operation to h; the empty operation is every one of the service
// that no other handler has. Outside of S3 the request's GetBody gives the body
// again.
func (e *Edge) Handle(service, name string, h http.Handler) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handlers[operation{service, name}] = h
}

// Own gives services an emulator of their own: one Python process is one core.
func (e *Edge) Own(moto *url.URL, services ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	own := newUpstream(moto, e.log)
	for _, service := range services {
		e.upstreams[service] = own
	}
}

// Rewrite changes the body of the emulator's successful answers to an operation.
// request is empty for S3. Several are applied in the order that they were given.
func (e *Edge) Rewrite(service, name string, f func(request, response []byte) []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := operation{service, name}
	e.rewrites[key] = append(e.rewrites[key], f)
}

// Observe tells f of each call when it is answered. f runs in the way of the
// answer's end, so it has to be quick.
func (e *Edge) Observe(f func(Call)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.observers = append(e.observers, f)
}

// Forward gives h the requests for a host that match accepts, which is asked with
// the port, if any. The first match wins.
func (e *Edge) Forward(match func(host string) bool, h http.Handler) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forwards = append(e.forwards, forward{match, h})
}

// ServeHTTP routes one request.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := e.forwardTo(r); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	call := identify(r)
	var body []byte
	if call.Service != "s3" {
		var err error
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			e.log.Warn("read request", "service", call.Service, "error", err)
			http.Error(w, "read request: "+err.Error(), http.StatusBadRequest)
			return
		}
		if call.Operation == "" {
			call.Operation = formAction(r, body)
		}
		replay(r, body)
	}
	e.attribute(&call, r.URL.Path, body)
	e.overhear(call, r, body)
	w, judge := e.judged(w, r, call, body)
	recorder := &statusRecorder{ResponseWriter: w}
	cut := e.serve(recorder, r, &call, body)
	call.Status, call.Start, call.Duration = recorder.status(), start, time.Since(start)
	if cut {
		call.Status = 0
	}
	judge(call)
	e.tell(call)
	if cut {
		panic(http.ErrAbortHandler) // closes the connection, and nothing is logged
	}
}

func (e *Edge) route(w http.ResponseWriter, r *http.Request, c Call, body []byte) {
	op := operation{c.Service, c.Operation}
	e.mu.RLock()
	h, ok := e.handlers[op]
	if !ok {
		h, ok = e.handlers[operation{op.service, ""}]
	}
	rewrites := e.rewrites[op]
	emulator := cmp.Or(e.upstreams[op.service], e.moto)
	e.mu.RUnlock()
	if ok {
		h.ServeHTTP(w, r)
		return
	}
	emulator.serve(w, r, op, c.Caller, body, rewrites)
}

func (e *Edge) tell(c Call) {
	e.mu.RLock()
	observers := e.observers
	e.mu.RUnlock()
	for _, f := range observers {
		f(c)
	}
}

// replay puts a body that was read back, with the means to send it again.
func replay(r *http.Request, body []byte) {
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	if len(body) == 0 {
		r.Body, r.GetBody = http.NoBody, nil
	}
}

// statusRecorder remembers the status that was written.
type statusRecorder struct {
	http.ResponseWriter
	written int
}

// WriteHeader keeps the status of the answer.
func (w *statusRecorder) WriteHeader(status int) {
	// 1xx comes before the answer.
	if w.written == 0 && status >= http.StatusOK {
		w.written = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusRecorder) status() int {
	if w.written == 0 {
		return http.StatusOK
	}
	return w.written
}
