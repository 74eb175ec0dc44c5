package cloudfront

import (
	"bufio"
	"net"
	"net/http"
)

// responder runs the viewer-response function on an origin's answer before its
// first byte goes out.
type responder struct {
	http.ResponseWriter
	respond func(status int) (message, error)
	started bool
	silent  bool // the function answered in the place of the origin
}

// WriteHeader asks the function, but not about an error: CloudFront does not run
// it when the origin answers 400 or above (docs, edge-function-restrictions-all).
func (w *responder) WriteHeader(status int) {
	if w.started || status < http.StatusOK {
		if !w.started {
			w.ResponseWriter.WriteHeader(status)
		}
		return
	}
	w.started = true
	if status >= http.StatusBadRequest {
		w.Header().Set("X-Cache", "Error from cloudfront")
		w.ResponseWriter.WriteHeader(status)
		return
	}
	out, err := w.respond(status)
	if err != nil {
		w.silent = true
		clear(w.Header())
		refuse(w.ResponseWriter, http.StatusServiceUnavailable, "The CloudFront function associated with the CloudFront distribution is invalid or could not run.")
		return
	}
	if len(out.Body) == 0 {
		w.ResponseWriter.WriteHeader(out.StatusCode)
		return
	}
	w.silent = true
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(out.StatusCode)
	if body, err := out.content(); err == nil {
		_, _ = w.ResponseWriter.Write(body)
	}
}

func (w *responder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.silent {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Hijack gives the connection away, for WebSockets.
func (w *responder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.started = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets an origin flush.
func (w *responder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
