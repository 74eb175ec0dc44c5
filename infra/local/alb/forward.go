package alb

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// chosen is the key of the target's address in a request's context.
type chosen struct{}

// address is a target as its group knows it.
type address struct {
	id   string
	port int
}

// endpoint is where a target listens.
func (a address) endpoint(port int) string {
	id := a.id
	if ip, err := netip.ParseAddr(id); err == nil && ip.IsLoopback() && ip.Is4() {
		id = "127.0.0.1"
	}
	return net.JoinHostPort(id, strconv.Itoa(port))
}

// connectTimeout is how long the load balancer waits for a connection (AWS,
// "HTTP 504: Gateway timeout" in the troubleshooting page).
const connectTimeout = 10 * time.Second

func newProxy(timeout time.Duration, log *slog.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: forwarded,
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
			ResponseHeaderTimeout: timeout,
			MaxIdleConnsPerHost:   32,
			IdleConnTimeout:       timeout,
			DisableCompression:    true,
		},
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Debug("forward", "host", r.Host, "path", r.URL.Path, "error", err)
			var wait net.Error
			if errors.As(err, &wait) && wait.Timeout() {
				page(w, http.StatusGatewayTimeout)
				return
			}
			page(w, http.StatusBadGateway)
		},
	}
}

// forwarded makes the request that the target sees: the same, with the headers
// that the load balancer adds.
func forwarded(p *httputil.ProxyRequest) {
	to, _ := p.In.Context().Value(chosen{}).(address)
	p.Out.URL.Scheme, p.Out.URL.Host = "http", to.endpoint(to.port)
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	p.SetXForwarded()
	p.Out.Header.Del("X-Forwarded-Host")
	if hosts := p.In.Header["X-Forwarded-Host"]; hosts != nil {
		p.Out.Header["X-Forwarded-Host"] = hosts
	}
	p.Out.Header.Set("X-Forwarded-Port", "80")
	if p.In.TLS != nil {
		p.Out.Header.Set("X-Forwarded-Port", "443")
	}
	if _, port, err := net.SplitHostPort(p.In.Host); err == nil {
		p.Out.Header.Set("X-Forwarded-Port", port)
	}
	p.Out.Header.Set("X-Amzn-Trace-Id", trace(p.In.Header.Get("X-Amzn-Trace-Id")))
}

// trace adds this hop to a trace that the caller began, or begins one.
func trace(given string) string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	id := fmt.Sprintf("1-%08x-%s", time.Now().Unix(), hex.EncodeToString(random[:]))
	if strings.Contains(given, "Root=") {
		return "Self=" + id + ";" + given
	}
	return "Root=" + id
}
