package edge

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// direct goes to loopback without a proxy: the edge may be its own.
var direct = &http.Transport{
	MaxIdleConns:        256,
	MaxIdleConnsPerHost: 256, // the default of 2 makes a new connection for nearly each of many calls at once
	IdleConnTimeout:     30 * time.Second,
	DisableCompression:  true,
}

// upstream is the emulator.
type upstream struct {
	url   *url.URL
	log   *slog.Logger
	locks locks
}

func newUpstream(u *url.URL, log *slog.Logger) *upstream {
	return &upstream{url: u, log: log, locks: newLocks()}
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request, op operation, caller string, body []byte, rewrites []rewrite) {
	defer u.locks.lock(op, caller)()
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(u.url)
			// The client's own Host, because queue URLs are made from it.
			p.Out.Host = p.In.Host
			p.Out.GetBody = p.In.GetBody
		},
		Transport: direct,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				u.log.Error("call moto", "service", op.service, "operation", op.name, "error", err)
			}
			http.Error(w, "call moto: "+err.Error(), http.StatusBadGateway)
		},
	}
	if len(rewrites) > 0 {
		proxy.ModifyResponse = func(res *http.Response) error { return apply(rewrites, body, res) }
	}
	proxy.ServeHTTP(w, r)
}

func apply(rewrites []rewrite, request []byte, res *http.Response) error {
	if res.StatusCode/100 != 2 {
		return nil
	}
	response, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read response: %w", err)
	}
	_ = res.Body.Close()
	for _, f := range rewrites {
		response = f(request, response)
	}
	res.Body = io.NopCloser(bytes.NewReader(response))
	res.ContentLength = int64(len(response))
	res.TransferEncoding = nil
	res.Header.Set("Content-Length", strconv.Itoa(len(response)))
	// DynamoDB's checksum is of the body that was.
	res.Header.Del("X-Amz-Crc32")
	return nil
}
