package ecs_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// front stands before moto as the edge does: one call at a time, with the changes
// to the answers that the agents ask for.
type front struct {
	mu       sync.Mutex
	proxy    *httputil.ReverseProxy
	rewrites map[string][]func(request, response []byte) []byte
	handlers map[string]http.Handler
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if form, err := url.ParseQuery(string(body)); err == nil && operation == "" {
		operation = form.Get("Action")
	}
	f.mu.Lock()
	h, rewrites := f.handlers[operation], f.rewrites[operation]
	f.mu.Unlock()
	if h != nil {
		h.ServeHTTP(w, r)
		return
	}
	recorder := httptest.NewRecorder()
	f.mu.Lock()
	f.proxy.ServeHTTP(recorder, r)
	f.mu.Unlock()
	answer := recorder.Body.Bytes()
	if recorder.Code < 300 {
		for _, rewrite := range rewrites {
			answer = rewrite(body, answer)
		}
	}
	w.Header().Set("Content-Type", recorder.Header().Get("Content-Type"))
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(answer)
}
