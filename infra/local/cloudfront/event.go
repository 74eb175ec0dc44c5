package cloudfront

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// event is what a function is given (docs, functions-event-structure, version 1.0).
type event struct {
	Version string `json:"version"`
	Context struct {
		DomainName     string `json:"distributionDomainName"`
		DistributionID string `json:"distributionId"`
		EventType      string `json:"eventType"`
		RequestID      string `json:"requestId"`
	} `json:"context"`
	Viewer struct {
		IP string `json:"ip"`
	} `json:"viewer"`
	Request  *message `json:"request"`
	Response *message `json:"response,omitempty"`
}

// message is a request or a response, whichever it has the fields of.
type message struct {
	Method            string           `json:"method,omitempty"`
	URI               string           `json:"uri,omitempty"`
	Query             map[string]field `json:"querystring,omitzero"`
	StatusCode        int              `json:"statusCode,omitempty"`
	StatusDescription string           `json:"statusDescription,omitempty"`
	Headers           map[string]field `json:"headers"`
	Cookies           map[string]field `json:"cookies"`
	Body              json.RawMessage  `json:"body,omitempty"`
}

// field is a header, a cookie or a query parameter.
type field struct {
	Value      string  `json:"value"`
	Attributes string  `json:"attributes,omitempty"` // of a cookie that is set
	Multi      []field `json:"multiValue,omitempty"`
}

// hops are headers that belong to one connection and that functions do not see,
// and Content-Length, which they may not change.
var hops = []string{"Connection", "Upgrade", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "Content-Length"}

func id() string { return rand.Text() }

func newEvent(kind string, r *http.Request) event {
	e := event{Version: "1.0"}
	e.Context.DomainName, e.Context.DistributionID = "local.cloudfront.net", "ELOCAL"
	e.Context.EventType, e.Context.RequestID = kind, id()
	e.Viewer.IP, _, _ = net.SplitHostPort(r.RemoteAddr)
	e.Request = &message{
		Method: r.Method, URI: r.URL.EscapedPath(), Query: fieldsOf(r.URL.RawQuery, "&"),
		Headers: headersOf(r.Header, "Cookie"), Cookies: fieldsOf(strings.Join(r.Header.Values("Cookie"), ";"), ";"),
	}
	e.Request.Headers["host"] = field{Value: r.Host}
	return e
}

func newResponse(status int, h http.Header) *message {
	m := &message{
		StatusCode: status, StatusDescription: http.StatusText(status),
		Headers: headersOf(h, "Set-Cookie"), Cookies: map[string]field{},
	}
	for _, line := range h.Values("Set-Cookie") {
		pair, attributes, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		add(m.Cookies, strings.TrimSpace(name), field{Value: value, Attributes: strings.TrimSpace(attributes)})
	}
	return m
}

func headersOf(h http.Header, without string) map[string]field {
	fields := map[string]field{}
	for name, values := range h {
		if name == without || slices.Contains(hops, name) {
			continue
		}
		for _, value := range values {
			add(fields, strings.ToLower(name), field{Value: value})
		}
	}
	return fields
}

// fieldsOf splits a query or a Cookie header. The values stay as they are encoded.
func fieldsOf(text, separator string) map[string]field {
	fields := map[string]field{}
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			name, value, _ := strings.Cut(part, "=")
			add(fields, name, field{Value: value})
		}
	}
	return fields
}

// add has the first value as the value, and all of them where there are several.
func add(fields map[string]field, name string, f field) {
	known, ok := fields[name]
	if !ok {
		fields[name] = f
		return
	}
	if known.Multi == nil {
		known.Multi = []field{{Value: known.Value, Attributes: known.Attributes}}
	}
	known.Multi = append(known.Multi, f)
	fields[name] = known
}

func (f field) all() []field {
	if len(f.Multi) > 0 {
		return f.Multi
	}
	return []field{f}
}

// apply makes the request that goes on: r as the function, which was given before,
// returned it. Method and Host cannot be changed.
func (m message) apply(given *message, r *http.Request) (*http.Request, error) {
	path, err := url.PathUnescape(m.URI)
	if err != nil || !strings.HasPrefix(m.URI, "/") {
		return nil, fmt.Errorf("apply uri %q: it is no path", m.URI)
	}
	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath = path, m.URI
	if !same(given.Query, m.Query) {
		out.URL.RawQuery = join(m.Query, "&")
	}
	out.RequestURI = out.URL.RequestURI()
	setHeaders(out.Header, m.Headers, "Cookie")
	out.Header.Del("Host")
	if !same(given.Cookies, m.Cookies) {
		out.Header.Del("Cookie")
		if len(m.Cookies) > 0 {
			out.Header.Set("Cookie", join(m.Cookies, "; "))
		}
	}
	return out, nil
}

// applyResponse has the headers as the function returned them.
func (m message) applyResponse(given *message, h http.Header) error {
	if m.StatusCode < 200 || m.StatusCode > 599 {
		return fmt.Errorf("apply status %d: it is none", m.StatusCode)
	}
	setHeaders(h, m.Headers, "Set-Cookie")
	if given != nil && same(given.Cookies, m.Cookies) {
		return nil
	}
	h.Del("Set-Cookie")
	for _, name := range slices.Sorted(maps.Keys(m.Cookies)) {
		for _, c := range m.Cookies[name].all() {
			line := name + "=" + c.Value
			if c.Attributes != "" {
				line += "; " + c.Attributes
			}
			h.Add("Set-Cookie", line)
		}
	}
	return nil
}

// content is a body as text, or {encoding, data}.
func (m message) content() ([]byte, error) {
	if len(m.Body) == 0 {
		return nil, nil
	}
	var text string
	if json.Unmarshal(m.Body, &text) == nil {
		return []byte(text), nil
	}
	var body struct{ Encoding, Data string }
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return nil, fmt.Errorf("read body of a function: %w", err)
	}
	if body.Encoding == "base64" {
		return base64.StdEncoding.DecodeString(body.Data)
	}
	return []byte(body.Data), nil
}

func setHeaders(h http.Header, fields map[string]field, without string) {
	for name := range h {
		if name != without && !slices.Contains(hops, name) {
			h.Del(name)
		}
	}
	for name, f := range fields {
		if name = http.CanonicalHeaderKey(name); slices.Contains(hops, name) {
			continue
		}
		for _, one := range f.all() {
			h.Add(name, one.Value)
		}
	}
}

func same(x, y map[string]field) bool {
	return len(x) == 0 && len(y) == 0 || reflect.DeepEqual(x, y)
}

func join(fields map[string]field, separator string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, f := range fields[name].all() {
			parts = append(parts, name+"="+f.Value)
		}
	}
	return strings.Join(parts, separator)
}
