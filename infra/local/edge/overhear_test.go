package edge

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestACallIsOverheardWholeBeforeItIsServed(t *testing.T) {
	for rule, c := range map[string]struct{ path, service, body string }{
		"a body that the edge has read":             {"/", "sqs", `{"QueueName":"x"}`},
		"that of S3, which is read by who wants it": {"/bucket?delete", "s3", "<Delete/>"},
	} {
		t.Run(rule, func(t *testing.T) {
			e := New(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, slog.New(slog.DiscardHandler))
			var heard, served string
			e.Overhear(func(call Call, r *http.Request, body []byte) {
				if call.Service == "s3" {
					body, _ = io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
				}
				if served != "" {
					t.Error("it was served before")
				}
				heard = call.Caller + " " + string(body)
			})
			e.Handle(c.service, "", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				served = string(body)
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=queue.1/20261121/us-east-1/"+c.service+"/aws4_request, Signature=0")
			e.ServeHTTP(httptest.NewRecorder(), r)
			if heard != "queue "+c.body || served != c.body {
				t.Errorf("heard %q, served %q", heard, served)
			}
		})
	}
}
