package edge

import (
	"bytes"
	"net/http"
	"time"
)

// serve answers one call, with what is to be done to it. cut is true if the caller
// gets no answer.
func (e *Edge) serve(w http.ResponseWriter, r *http.Request, c *Call, body []byte) (cut bool) {
	if e.died(c.Key) {
		return true
	}
	if refused := e.limit(*c, body); refused != nil {
		c.Fault = Limited
		refused.write(w, c.Service)
		return false
	}
	i := e.faultFor(*c)
	if i == nil {
		e.recall(w, r, c, body)
		return false
	}
	c.Fault = i.fault.Kind
	if i.fault.Then != nil {
		i.fault.Then(*c)
	}
	return e.strike(i, w, r, c, body)
}

func (e *Edge) strike(i *Injected, w http.ResponseWriter, r *http.Request, c *Call, body []byte) (cut bool) {
	switch kind := i.fault.Kind; kind {
	case Throttled, InternalError, AccessDenied:
		answerOf(kind, c.Service).write(w, c.Service)
	case CutBefore:
		return true
	case AnswerLost:
		e.route(newHeld(), r, *c, body)
		return true
	case TooSlow:
		e.route(newHeld(), r, *c, body)
		select {
		case <-r.Context().Done():
		case <-time.After(i.fault.Hold):
		}
		return true
	case KilledUntold:
		e.route(newHeld(), r, *c, body)
		e.kill(c.Key)
		return true
	case KilledAnswered:
		e.doom(c.Key)
		e.recall(w, r, c, body)
	case StaleRead:
		if !e.misremember(w, r, c, body) {
			i.unfire()
			c.Fault = ""
		}
	default:
		e.recall(w, r, c, body)
	}
	return false
}

func (e *Edge) kill(key string) {
	e.mu.RLock()
	killer := e.killer
	e.mu.RUnlock()
	if killer != nil {
		killer.Kill(key)
	}
}

// doom kills a process at whatever it does next: a further call, or its answer.
func (e *Edge) doom(key string) {
	e.mu.RLock()
	killer := e.killer
	e.mu.RUnlock()
	if killer == nil {
		return
	}
	e.struck.mu.Lock()
	e.struck.doomed[key] = true
	e.struck.mu.Unlock()
	killer.Doom(key)
}

// died kills a doomed process that makes a further call.
func (e *Edge) died(key string) bool {
	e.struck.mu.Lock()
	doomed := e.struck.doomed[key]
	e.struck.mu.Unlock()
	if doomed {
		e.kill(key)
	}
	return doomed
}

// held is an answer that is not given, or not yet.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newHeld() *held { return &held{header: http.Header{}, status: http.StatusOK} }

// Header of the answer.
func (h *held) Header() http.Header { return h.header }

// Write keeps a part of the body.
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// WriteHeader keeps the status.
func (h *held) WriteHeader(status int) { h.status = status }

// give sends the answer on.
func (h *held) give(w http.ResponseWriter) {
	for name, values := range h.header {
		w.Header()[name] = values
	}
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes()) // the caller may be gone
}
