package edge

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// forwardTo returns who serves r if it is no AWS call, else nil.
func (e *Edge) forwardTo(r *http.Request) http.Handler {
	if r.Method == http.MethodConnect {
		return refusal("no tunnels: the local stack speaks plain HTTP on loopback")
	}
	host := r.Host
	if r.URL.IsAbs() {
		host = r.URL.Host
	}
	if _, service := credential(r); service != "" && isAccount(host) {
		return nil // even where environments have the names below the same host
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, f := range e.forwards {
		if f.match(host) {
			return f.handler
		}
	}
	if !r.URL.IsAbs() {
		return nil
	}
	return proxied(r)
}

// proxied serves a request that came as to a proxy. What is signed, or bears an
// account, or is for loopback itself, is an AWS call after all.
func proxied(r *http.Request) http.Handler {
	name := r.URL.Hostname()
	if _, service := credential(r); service != "" {
		return nil
	}
	if isAccount(name) || name == "localhost" || net.ParseIP(name) != nil {
		return nil
	}
	if strings.HasSuffix(name, ".localhost") {
		return loopback(r.URL.Port())
	}
	return refusal(name + " is not on loopback, and the local stack goes nowhere else")
}

// isAccount tells whether the host begins with an account id, as the
// KeyValueStore client makes it: 123456789012.127.0.0.1.
func isAccount(host string) bool {
	label, _, _ := strings.Cut(host, ".")
	return len(label) == 12 && strings.Trim(label, "0123456789") == ""
}

// loopback passes a request for a name below localhost on to this machine, which
// Go's resolver may not know the name of.
func loopback(port string) http.Handler {
	if port == "" {
		port = "80"
	}
	target := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", port)}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		Transport: direct,
	}
}

func refusal(why string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, why, http.StatusBadGateway)
	})
}
