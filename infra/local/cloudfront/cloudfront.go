// Package cloudfront is a distribution on one machine: it runs the viewer
// functions as they are deployed, before the load balancer for the paths of the
// backends and before the site bucket, with a cache, for all others. It knows
// nothing of environments: what a host is, the functions say.
package cloudfront

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"previewenv/infra/local/alb/wildcard"
)

// defaultTTL is that of a cache policy that says nothing else (docs, Expiration).
const defaultTTL = 24 * time.Hour

// Options describe the distribution.
type Options struct {
	// BaseDomain is what every host is below, as with the alternate domain name
	// *.BaseDomain. Ports do not count.
	BaseDomain string
	// Request and Response are the sources of the viewer functions.
	Request, Response string
	// Store is the KeyValueStore that the functions read.
	Store func(key string) (value string, ok bool)
	// Origin gets the requests for the Backends, path patterns of cache behaviors,
	// with their Host and uncached.
	Origin   http.Handler
	Backends []string
	// Config and Bucket are where all else comes from.
	Config aws.Config
	Bucket string
	// DefaultTTL is how long an object without Cache-Control is kept; 0 is a day.
	DefaultTTL time.Duration
	// ErrorTTL is how long a missing object stays missing, AWS's ErrorCachingMinTTL;
	// 0 is not at all.
	ErrorTTL time.Duration
	Log      *slog.Logger // nil is nowhere
}

// Distribution serves every host below its base domain.
type Distribution struct {
	suffix   string
	backends []string
	origin   http.Handler
	site     *site
	request  *function
	response *function
	log      *slog.Logger
}

// New compiles the functions.
func New(o Options) (*Distribution, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	request, err := newFunction("viewer-request", o.Request, o.Store, log)
	if err != nil {
		return nil, err
	}
	response, err := newFunction("viewer-response", o.Response, o.Store, log)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(o.Config, func(s *s3.Options) { s.UsePathStyle = true })
	return &Distribution{
		suffix: "." + strings.ToLower(o.BaseDomain), backends: o.Backends, origin: o.Origin,
		site:    newSite(client, o.Bucket, cmp.Or(o.DefaultTTL, defaultTTL), o.ErrorTTL),
		request: request, response: response, log: log,
	}, nil
}

// Invalidate forgets the cached objects at these paths, as the origin knows them.
// A path may end with *.
func (d *Distribution) Invalidate(paths ...string) { d.site.invalidate(paths) }

// ServeHTTP answers one viewer.
func (d *Distribution) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.serves(r.Host) {
		refuse(w, http.StatusForbidden, "Bad request.")
		return
	}
	backend := d.backend(r.URL)
	if !backend && !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) {
		refuse(w, http.StatusForbidden, "This distribution is not configured to allow the HTTP request method that was used for this request.")
		return
	}
	viewed := newEvent("viewer-request", r)
	out, err := d.request.run(r.Context(), viewed)
	if err != nil {
		d.log.Error("viewer-request", "host", r.Host, "path", r.URL.Path, "error", err)
		refuse(w, http.StatusServiceUnavailable, "The CloudFront function associated with the CloudFront distribution is invalid or could not run.")
		return
	}
	if out.StatusCode != 0 {
		d.generate(w, r, out)
		return
	}
	passed, err := out.apply(viewed.Request, r)
	if err != nil {
		d.log.Error("viewer-request", "host", r.Host, "path", r.URL.Path, "error", err)
		refuse(w, http.StatusServiceUnavailable, "The CloudFront function returned an invalid value.")
		return
	}
	answer := &responder{ResponseWriter: w, respond: func(status int) (message, error) {
		e := newEvent("viewer-response", passed)
		e.Response = newResponse(status, w.Header())
		out, err := d.response.run(r.Context(), e)
		if err != nil {
			d.log.Error("viewer-response", "host", r.Host, "path", r.URL.Path, "error", err)
			return out, err
		}
		return out, out.applyResponse(e.Response, w.Header())
	}}
	w.Header().Set("Via", "1.1 local.cloudfront.net (CloudFront)")
	w.Header().Set("X-Cache", "Miss from cloudfront")
	if backend {
		d.origin.ServeHTTP(answer, forwarded(passed))
	} else {
		d.site.serve(answer, passed)
	}
	if !answer.started {
		answer.WriteHeader(http.StatusOK)
	}
}

// serves tells whether a host is below the base domain.
func (d *Distribution) serves(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(host)
	return len(host) > len(d.suffix) && strings.HasSuffix(host, d.suffix)
}

// backend chooses the cache behavior, by the viewer's path with its dot segments
// resolved; the origin gets the path as it came.
func (d *Distribution) backend(u *url.URL) bool {
	resolved := (&url.URL{Path: "/"}).ResolveReference(&url.URL{Path: u.Path, RawPath: u.RawPath}).EscapedPath()
	return slices.ContainsFunc(d.backends, func(pattern string) bool {
		return wildcard.Fits("/"+strings.TrimPrefix(pattern, "/"), resolved)
	})
}

// generate sends the answer that the viewer-request function made itself. The
// viewer-response function does not see it.
func (d *Distribution) generate(w http.ResponseWriter, r *http.Request, out message) {
	if err := out.applyResponse(nil, w.Header()); err != nil {
		d.log.Error("viewer-request", "host", r.Host, "path", r.URL.Path, "error", err)
		refuse(w, http.StatusServiceUnavailable, "The CloudFront function returned an invalid value.")
		return
	}
	w.Header().Set("X-Cache", "FunctionGeneratedResponse from cloudfront")
	body, err := out.content()
	if err != nil {
		d.log.Error("viewer-request", "host", r.Host, "path", r.URL.Path, "error", err)
	}
	w.WriteHeader(out.StatusCode)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func forwarded(r *http.Request) *http.Request {
	if ip, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		if before := r.Header.Get("X-Forwarded-For"); before != "" {
			ip = before + ", " + ip
		}
		r.Header.Set("X-Forwarded-For", ip)
	}
	r.Header.Set("Via", "1.1 local.cloudfront.net (CloudFront)")
	r.Header.Set("X-Amz-Cf-Id", id())
	return r
}

// refuse is CloudFront's own error.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Server", "CloudFront")
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("X-Cache", "Error from cloudfront")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, fmt.Sprintf("<html><head><title>ERROR: The request could not be satisfied</title></head><body><h1>%d ERROR</h1><h2>The request could not be satisfied.</h2><p>%s</p></body></html>\n", status, why))
}
