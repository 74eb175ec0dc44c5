package function

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

func send(t *testing.T, h http.Handler, r *http.Request) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestInvokeTakesEveryFormOfAName(t *testing.T) {
	f := start(t, Options{})
	for name, function := range map[string]string{
		"a name":                "probe",
		"a qualified name":      "probe:$LATEST",
		"an ARN":                f.ARN("probe"),
		"a partial ARN":         "123456789012:function:probe",
		"a qualified whole ARN": f.ARN("probe") + ":live",
	} {
		t.Run(name, func(t *testing.T) {
			res, body := send(t, f.Handler(), httptest.NewRequest("POST", "/2015-03-31/functions/"+url.PathEscape(function)+"/invocations", strings.NewReader(`{}`)))
			if res.StatusCode != 200 || !strings.Contains(body, `"name":"probe"`) || res.Header.Get("X-Amz-Function-Error") != "" {
				t.Errorf("answer = %d %v %s", res.StatusCode, res.Header, body)
			}
		})
	}
}

func TestInvokeAnswersInLambdasWords(t *testing.T) {
	f := start(t, Options{})
	for name, c := range map[string]struct {
		function, kind, body   string
		status                 int
		errorType, functionErr string
	}{
		"an error of the function is a 200 with a header": {"probe", "", `{"Do":"fail"}`, 200, "", "Unhandled"},
		"an unknown function is not found":                {"nobody", "", `{}`, 404, "ResourceNotFoundException", ""},
		"a payload is JSON":                               {"probe", "", `{`, 400, "InvalidRequestContentException", ""},
		"a payload is at most 6 MB":                       {"probe", "", strings.Repeat(" ", maxPayload+1), 413, "RequestTooLargeException", ""},
		"an event is only accepted":                       {"probe", "Event", `{}`, 202, "", ""},
		"a dry run runs nothing":                          {"probe", "DryRun", `{}`, 204, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/2015-03-31/functions/"+c.function+"/invocations", strings.NewReader(c.body))
			r.Header.Set("X-Amz-Invocation-Type", c.kind)
			res, body := send(t, f.Handler(), r)
			if res.StatusCode != c.status || res.Header.Get("X-Amzn-ErrorType") != c.errorType || res.Header.Get("X-Amz-Function-Error") != c.functionErr {
				t.Errorf("answer = %d %v %s", res.StatusCode, res.Header, body)
			}
		})
	}
}

func TestAFunctionURLSendsPayloadFormat2(t *testing.T) {
	f := start(t, Options{})
	for name, c := range map[string]struct {
		contentType, body string
		base64            bool
	}{
		"JSON comes as text":                {"application/json; charset=utf-8", `{"ü":1}`, false},
		"a form comes as base64":            {"application/x-www-form-urlencoded", "command=%2Fprovisionenv&text=a", true},
		"a body without a type is not text": {"", "abc", true},
		"no body is not encoded":            {"application/x-www-form-urlencoded", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/slack/commands?a=1&a=2&b=x%20y", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.contentType)
			r.Header.Set("X-Slack-Signature", "v0=1")
			r.Header.Set("Cookie", "a=1; b=2")
			res, body := send(t, f.URL("probe"), r)
			if res.StatusCode != 200 {
				t.Fatalf("answer = %d %s", res.StatusCode, body)
			}
			var got events.LambdaFunctionURLRequest
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			want := c.body
			if c.base64 {
				want = base64.StdEncoding.EncodeToString([]byte(c.body))
			}
			if got.Body != want || got.IsBase64Encoded != c.base64 {
				t.Errorf("body = %q, base64 %v", got.Body, got.IsBase64Encoded)
			}
			if got.Version != "2.0" || got.RawPath != "/slack/commands" || got.RawQueryString != "a=1&a=2&b=x%20y" ||
				got.Headers["x-slack-signature"] != "v0=1" || got.RequestContext.HTTP.Method != "POST" {
				t.Errorf("request = %+v", got)
			}
			if diff := cmp.Diff(map[string]string{"a": "1,2", "b": "x y"}, got.QueryStringParameters); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"a=1", "b=2"}, got.Cookies); diff != "" {
				t.Errorf("cookies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFunctionURLAnswersWhatTheFunctionReturns(t *testing.T) {
	f := start(t, Options{})
	for name, c := range map[string]struct {
		path, want, contentType string
		status                  int
	}{
		"a plain value is the body":             {"/plain", `"just text"`, "application/json", 200},
		"a binary body is decoded":              {"/binary", "\x00\x01\x02", "image/png", 201},
		"an error of the function is a gateway": {"/fail", `{"Message":"Internal Server Error"}` + "\n", "application/json", 502},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := send(t, f.URL("probe"), httptest.NewRequest("GET", c.path, nil))
			if res.StatusCode != c.status || body != c.want || res.Header.Get("Content-Type") != c.contentType {
				t.Errorf("answer = %d %v %q", res.StatusCode, res.Header, body)
			}
			if c.path == "/binary" && len(res.Cookies()) != 2 {
				t.Errorf("cookies = %v", res.Cookies())
			}
		})
	}
	t.Run("a body is at most 6 MB", func(t *testing.T) {
		res, _ := send(t, f.URL("probe"), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", maxPayload+1))))
		if res.StatusCode != 413 {
			t.Errorf("status = %d", res.StatusCode)
		}
	})
}
