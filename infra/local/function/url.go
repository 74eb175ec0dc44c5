package function

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// URL is the named function's URL, of auth type NONE and payload format 2.0
// (docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html).
func (f *Functions) URL(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			answerMessage(w, http.StatusRequestEntityTooLarge, "Request must be smaller than 6291456 bytes for the InvokeFunction operation")
			return
		}
		if err != nil {
			answerMessage(w, http.StatusBadRequest, "Bad Request")
			return
		}
		payload, err := json.Marshal(request(r, body))
		if err != nil {
			answerMessage(w, http.StatusBadRequest, "Bad Request")
			return
		}
		result, err := f.Invoke(r.Context(), name, payload)
		switch {
		case isMissing(err):
			answerMessage(w, http.StatusForbidden, "Forbidden")
		case err != nil || result.FunctionError != "":
			answerMessage(w, http.StatusBadGateway, "Internal Server Error")
		default:
			answerURL(w, result.Payload)
		}
	})
}

// request is r as the function sees it.
func request(r *http.Request, body []byte) events.LambdaFunctionURLRequest {
	now := time.Now().UTC()
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	out := events.LambdaFunctionURLRequest{
		Version:               "2.0",
		RawPath:               r.URL.EscapedPath(),
		RawQueryString:        r.URL.RawQuery,
		Headers:               headers(r, source),
		QueryStringParameters: query(r),
		RequestContext: events.LambdaFunctionURLRequestContext{
			AccountID: "anonymous", RequestID: newID(), APIID: "local", DomainName: r.Host, DomainPrefix: "local",
			Time: now.Format("02/Jan/2006:15:04:05 +0000"), TimeEpoch: now.UnixMilli(),
			HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent(),
			},
		},
	}
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			out.Cookies = append(out.Cookies, strings.TrimSpace(cookie))
		}
	}
	switch {
	case len(body) == 0:
	case isText(r.Header.Get("Content-Type")):
		out.Body = string(body)
	default:
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return out
}

// isText tells the bodies that come as they are. A form, such as Slack sends, is
// not among them.
func isText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

func headers(r *http.Request, source string) map[string]string {
	out := map[string]string{
		"host": r.Host, "x-forwarded-for": source, "x-forwarded-proto": "https", "x-forwarded-port": "443",
		"x-amzn-trace-id": traceID(),
	}
	for name, values := range r.Header {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return out
}

func query(r *http.Request) map[string]string {
	out := map[string]string{}
	for name, values := range r.URL.Query() {
		out[name] = strings.Join(values, ",")
	}
	return out
}

// answerURL writes what the function returned: a response object, or anything
// else, which is the body then.
func answerURL(w http.ResponseWriter, payload []byte) {
	var out struct {
		StatusCode      *int              `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
		Cookies         []string          `json:"cookies"`
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.Unmarshal(payload, &out); err != nil || out.StatusCode == nil {
		_, _ = w.Write(payload)
		return
	}
	body := []byte(out.Body)
	if out.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(out.Body); err != nil {
			answerMessage(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
	}
	if *out.StatusCode < 200 || *out.StatusCode > 599 {
		answerMessage(w, http.StatusBadGateway, "Internal Server Error")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(out.Headers)) {
		w.Header().Set(name, out.Headers[name])
	}
	for _, cookie := range out.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.WriteHeader(*out.StatusCode)
	_, _ = w.Write(body)
}

func answerMessage(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Message": message})
}
