// Package cloudfront is one CloudFront distribution on one machine: the real viewer
// functions before and after two origins, the load balancer for the paths of the
// backends and the site bucket for everything else. It knows nothing of
// environments; only the functions do.
package cloudfront

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Options say what the distribution is made of.
type Options struct {
	Config     aws.Config // of the emulator, or of the edge before it
	BaseDomain string     // alternate domain name *.BaseDomain
	Request    string     // code of the viewer-request function
	Response   string     // code of the viewer-response function
	// Store reads the KeyValueStore of the functions.
	Store func(key string) (string, bool)
	// Origin serves the paths of the cache behaviors: the load balancer.
	Origin http.Handler
	Paths  []string // of the cache behaviors
	Site   string   // bucket
	Log    *slog.Logger
}

// Distribution serves requests for the alternate domain name.
type Distribution struct {
	options  Options
	request  *function
	response *function
	site     *site
}

// New makes a distribution. An error is about the code of a function.
func New(o Options) (*Distribution, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	request, err := compile("viewer-request", o.Request, o.Store)
	if err != nil {
		return nil, err
	}
	response, err := compile("viewer-response", o.Response, o.Store)
	if err != nil {
		return nil, err
	}
	return &Distribution{
		options: o, request: request, response: response,
		site: newSite(s3.NewFromConfig(o.Config), o.Site),
	}, nil
}

// Invalidate forgets cached objects by path; a * at the end is any rest.
func (d *Distribution) Invalidate(paths []string) { d.site.invalidate(paths) }

// ServeHTTP is one viewer's request.
func (d *Distribution) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	if !strings.HasSuffix(strings.ToLower(host), "."+d.options.BaseDomain) {
		http.Error(w, "The request could not be satisfied: no distribution has this name.", http.StatusForbidden)
		return
	}
	event := map[string]any{
		"version": "1.0", "context": map[string]any{"eventType": "viewer-request"},
		"viewer": map[string]any{"ip": "127.0.0.1"}, "request": requestOf(r),
	}
	out, err := d.request.run(event)
	if err != nil {
		d.fail(w, "viewer-request", err)
		return
	}
	if _, isResponse := out["statusCode"]; isResponse {
		writeResponse(w, r, out)
		return
	}
	uri, _ := out["uri"].(string)
	d.origin(w, r, out, uri)
}

// origin asks the origin of the behavior that the viewer's own path has: a rewrite
// changes the object, not the behavior.
func (d *Distribution) origin(w http.ResponseWriter, r *http.Request, rewritten map[string]any, uri string) {
	answer := &recorder{header: http.Header{}}
	behavior := slices.ContainsFunc(d.options.Paths, func(pattern string) bool { return fits(pattern, r.URL.Path) })
	if behavior {
		stream := &responder{ResponseWriter: w, before: func(status int, header http.Header) error {
			return d.after(r, rewritten, status, header)
		}}
		d.options.Origin.ServeHTTP(stream, r)
		return
	}
	d.site.serve(answer, r, uri)
	if err := d.after(r, rewritten, answer.status, answer.header); err != nil {
		d.fail(w, "viewer-response", err)
		return
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(answer.body.Bytes()) // the viewer may be gone
	}
}

// after runs viewer-response; CloudFront leaves it out for an origin's answer of
// 400 or above.
func (d *Distribution) after(_ *http.Request, request map[string]any, status int, header http.Header) error {
	if status >= http.StatusBadRequest {
		return nil
	}
	event := map[string]any{
		"version": "1.0", "context": map[string]any{"eventType": "viewer-response"},
		"viewer":  map[string]any{"ip": "127.0.0.1"},
		"request": request,
		"response": map[string]any{
			"statusCode": status, "statusDescription": http.StatusText(status), "headers": headersOf(header), "cookies": map[string]any{},
		},
	}
	out, err := d.response.run(event)
	if err != nil {
		return err
	}
	setHeaders(header, out)
	return nil
}

func (d *Distribution) fail(w http.ResponseWriter, function string, err error) {
	d.options.Log.Error("viewer function failed", "function", function, "error", err)
	http.Error(w, "The CloudFront function failed: "+function+".", http.StatusServiceUnavailable)
}

// requestOf is a request in CloudFront's event structure.
func requestOf(r *http.Request) map[string]any {
	headers := headersOf(r.Header)
	headers["host"] = map[string]any{"value": r.Host}
	query := map[string]any{}
	for name, values := range r.URL.Query() {
		query[name] = map[string]any{"value": values[0]}
	}
	return map[string]any{
		"method": r.Method, "uri": r.URL.EscapedPath(), "querystring": query, "headers": headers, "cookies": map[string]any{},
	}
}

func headersOf(h http.Header) map[string]any {
	all := map[string]any{}
	for name, values := range h {
		if len(values) > 0 {
			all[strings.ToLower(name)] = map[string]any{"value": strings.Join(values, ",")}
		}
	}
	return all
}

// setHeaders makes a header what a function returned; cookies of the origin, which
// CloudFront keeps apart, stay.
func setHeaders(header http.Header, out map[string]any) {
	cookies := header.Values("Set-Cookie")
	clear(header)
	fields, _ := out["headers"].(map[string]any)
	for name, f := range fields {
		if v, ok := f.(map[string]any); ok {
			header.Set(name, fmt.Sprint(v["value"]))
		}
	}
	if len(cookies) > 0 {
		header["Set-Cookie"] = cookies
	}
}

// writeResponse sends what viewer-request answered itself.
func writeResponse(w http.ResponseWriter, r *http.Request, out map[string]any) {
	setHeaders(w.Header(), out)
	status, err := statusOf(out["statusCode"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(status)
	if body, ok := out["body"].(map[string]any); ok && r.Method != http.MethodHead {
		_, _ = fmt.Fprint(w, body["data"]) // the viewer may be gone
	} else if text, ok := out["body"].(string); ok && r.Method != http.MethodHead {
		_, _ = fmt.Fprint(w, text)
	}
}

func statusOf(v any) (int, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	var status int
	if err := json.Unmarshal(data, &status); err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("the function answered with the status %s", data)
	}
	return status, nil
}

// recorder keeps an origin's whole answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// responder lets an origin stream, with its header changed before it goes out.
type responder struct {
	http.ResponseWriter
	before func(status int, header http.Header) error
	sent   bool
}

// WriteHeader sends the header as viewer-response left it.
func (w *responder) WriteHeader(status int) {
	if w.sent {
		return
	}
	if status >= http.StatusOK {
		w.sent = true
		if err := w.before(status, w.Header()); err != nil {
			status = http.StatusServiceUnavailable
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responder) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController flush and hijack.
func (w *responder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// originTimeout bounds one read of the site bucket; CloudFront's own is 30 s.
const originTimeout = 30 * time.Second

func withTimeout(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), originTimeout)
}
