package slack_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

const token = "xoxb-1234-not-to-be-shown"

// answering is Slack that answers every call alike, and keeps what it was sent.
type answering struct {
	status int
	header map[string]string
	body   string
	path   string
	sent   string
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	a.path, a.sent = r.URL.Path, string(b)
	w.Header().Set("Content-Type", "application/json")
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(max(a.status, 200))
	_, _ = io.WriteString(w, a.body)
}

func TestClientFailsInWords(t *testing.T) {
	for name, c := range map[string]struct {
		answer answering
		fault  string
		code   string
		says   string
	}{
		"a channel without the app": {answering{body: `{"ok":false,"error":"not_in_channel"}`}, statemachine.ErrBadRequest, "not_in_channel", "/invite @previewenv"},
		"no such channel":           {answering{body: `{"ok":false,"error":"channel_not_found"}`}, statemachine.ErrBadRequest, "channel_not_found", "/invite @previewenv"},
		"a wrong token":             {answering{body: `{"ok":false,"error":"invalid_auth"}`}, statemachine.ErrInternal, "invalid_auth", "token"},
		"a message that is gone":    {answering{body: `{"ok":false,"error":"message_not_found"}`}, statemachine.ErrBadRequest, "message_not_found", "gone"},
		"a wrong block":             {answering{body: `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] x [json-pointer:/blocks/0]"]}}`}, statemachine.ErrInternal, "invalid_blocks", "/blocks/0"},
		"too many messages":         {answering{status: 429, header: map[string]string{"Retry-After": "7"}}, statemachine.ErrThrottled, "ratelimited", "no more messages"},
		"too many, unsaid how long": {answering{status: 429}, statemachine.ErrThrottled, "ratelimited", "no more messages"},
		"Slack is down":             {answering{status: 503, body: "<html>"}, statemachine.ErrUnavailable, "", "did not answer"},
		"no JSON":                   {answering{body: "<html>"}, statemachine.ErrUnavailable, "", "did not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(&c.answer)
			defer server.Close()
			client := slack.New(token, server.URL, server.Client())
			_, _, err := client.Post(t.Context(), "C123", "text", nil)
			f := fault.As(err)
			if f == nil || f.Name != c.fault || slack.Code(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Post = %v (code %q)", err, slack.Code(err))
			}
			if c.answer.header != nil && slack.RetryAfter(err) != 7*time.Second {
				t.Errorf("retry after %s", slack.RetryAfter(err))
			}
			noSecret(t, err)
		})
	}
}

// noSecret walks every error below, as a log may.
func noSecret(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "not-to-be-shown") {
			t.Errorf("the error %q holds a secret", err)
		}
	}
}

func TestClientThatCannotReachSlackIsUnavailable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	client := slack.New(token, server.URL+"/not-to-be-shown", http.DefaultClient)
	_, blocks := slack.Status(ready())
	for name, err := range map[string]error{
		"post":    second(client.Post(t.Context(), "C123", "text", blocks)),
		"update":  client.Update(t.Context(), "C123", "1.2", "text", blocks),
		"whisper": client.Ephemeral(t.Context(), "C123", "U123", "text", nil),
		"open":    client.OpenView(t.Context(), "1.2", slack.Form{}.Modal()),
		"respond": client.Respond(t.Context(), server.URL+"/not-to-be-shown", slack.Removing("pr1")),
		"no URL":  client.Respond(t.Context(), "http://%zz/not-to-be-shown", slack.Removing("pr1")),
	} {
		if !fault.Is(err, statemachine.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		noSecret(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Update(ctx, "C123", "1.2", "text", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func second(_, _ string, err error) error { return err }

func TestRespond(t *testing.T) {
	ok := &answering{body: "ok"}
	server := httptest.NewServer(ok)
	defer server.Close()
	client := slack.New(token, server.URL, server.Client())
	if err := client.Respond(t.Context(), server.URL+"/r/1", slack.Private("hello")); err != nil {
		t.Fatal(err)
	}
	if ok.path != "/r/1" || ok.sent != `{"response_type":"ephemeral","text":"hello","replace_original":false}` {
		t.Errorf("sent %s to %s", ok.sent, ok.path)
	}
	*ok = answering{status: 404, body: `{"ok":false,"error":"used_url"}`}
	if err := client.Respond(t.Context(), server.URL+"/r/1", slack.Private("hello")); slack.Code(err) != "expired_url" {
		t.Errorf("a used URL: %v", err)
	}
}

func TestATokenThatWasRotatedIsTakenUpAtOnce(t *testing.T) {
	for rule, c := range map[string]struct {
		now     string
		calls   int
		refused bool
	}{
		"the new one is used for the same call":         {"xoxb-new", 2, false},
		"one that is still the same is not tried again": {"xoxb-old", 1, true},
		"one that is wrong too is tried once":           {"xoxb-wrong", 2, true},
	} {
		t.Run(rule, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				w.Header().Set("Content-Type", "application/json")
				if r.FormValue("token") == "xoxb-new" || r.Header.Get("Authorization") == "Bearer xoxb-new" {
					_, _ = io.WriteString(w, `{"ok":true,"channel":"C123","ts":"1.2"}`)
					return
				}
				_, _ = io.WriteString(w, `{"ok":false,"error":"token_revoked"}`)
			}))
			defer server.Close()
			client := slack.With(func(_ context.Context, refused string) (string, error) {
				if refused != "" {
					return c.now, nil
				}
				return "xoxb-old", nil
			}, server.URL, server.Client())
			_, ts, err := client.Post(t.Context(), "C123", "text", nil)
			if (err != nil) != c.refused || calls != c.calls || !c.refused && ts != "1.2" {
				t.Errorf("Post = %q, %v after %d calls, want %d", ts, err, calls, c.calls)
			}
		})
	}
}
