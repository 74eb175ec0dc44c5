package slack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"previewenv/infra/local/slack"
)

const token = "xoxb-test"

// bench is a simulator, the door that it calls, and a clock that stands still.
type bench struct {
	*slack.Simulator
	t    *testing.T
	url  string
	now  time.Time
	door http.HandlerFunc
	form url.Values // the last that the door was sent
}

func newBench(t *testing.T, o slack.Options) *bench {
	b := &bench{t: t, now: time.Unix(1_795_183_500, 0)}
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want := slack.Sign("secret", r.Header.Get("X-Slack-Request-Timestamp"), body)
		if r.Header.Get("X-Slack-Signature") != want {
			t.Errorf("the request to %s is not signed", r.URL.Path)
		}
		b.form, _ = url.ParseQuery(string(body))
		if b.door != nil {
			b.door(w, r)
		}
	}))
	t.Cleanup(door.Close)
	o.SigningSecret, o.Token, o.Clock = "secret", token, func() time.Time { return b.now }
	o.Door, o.URL = func() string { return door.URL }, func() string { return b.url }
	b.Simulator = slack.New(o)
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// call calls a method with JSON, and gives its answer.
func (b *bench) call(method, auth, args string) map[string]any {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.url+"/api/"+method, strings.NewReader(args))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+auth)
	return b.do(req)
}

func (b *bench) do(req *http.Request) map[string]any {
	b.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		b.t.Fatal(err)
	}
	return answer
}

func (b *bench) answer(body string) {
	b.door = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func TestSignIsSlacksOwn(t *testing.T) {
	// The example of docs.slack.dev/authentication/verifying-requests-from-slack.
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	const want = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	if got := slack.Sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", []byte(body)); got != want {
		t.Errorf("Sign = %s", got)
	}
}

func TestSlackRefuses(t *testing.T) {
	section := func(n int) string {
		return fmt.Sprintf(`{"type":"section","text":{"type":"mrkdwn","text":%q}}`, strings.Repeat("x", n))
	}
	post := func(blocks string) string { return `{"channel":"C123","text":"x","blocks":[` + blocks + `]}` }
	button := func(id, value string) string {
		return fmt.Sprintf(`{"type":"button","action_id":%q,"value":%q,"text":{"type":"plain_text","text":"b"}}`, id, value)
	}
	for name, c := range map[string]struct{ method, auth, args, want string }{
		"no token":                 {"auth.test", "", `{}`, "not_authed"},
		"a wrong token":            {"auth.test", "xoxb-other", `{}`, "invalid_auth"},
		"an unknown method":        {"chat.sing", token, `{}`, "unknown_method"},
		"an unknown channel":       {"chat.postMessage", token, `{"channel":"C999","text":"x"}`, "channel_not_found"},
		"a channel by name":        {"chat.postMessage", token, `{"channel":"general","text":"x"}`, "channel_not_found"},
		"a channel without us":     {"chat.postMessage", token, `{"channel":"C777","text":"x"}`, "not_in_channel"},
		"an empty message":         {"chat.postMessage", token, `{"channel":"C123"}`, "no_text"},
		"a long text":              {"chat.postMessage", token, `{"channel":"C123","text":"` + strings.Repeat("x", 40_001) + `"}`, "msg_too_long"},
		"a section of 3,001":       {"chat.postMessage", token, post(section(3001)), "invalid_blocks"},
		"an empty section":         {"chat.postMessage", token, post(section(0)), "invalid_blocks"},
		"51 blocks":                {"chat.postMessage", token, post(strings.Repeat(section(1)+",", 50) + section(1)), "invalid_blocks"},
		"an unknown block":         {"chat.postMessage", token, post(`{"type":"sonnet"}`), "invalid_blocks"},
		"a block_id twice":         {"chat.postMessage", token, post(`{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}`), "invalid_blocks"},
		"an action_id twice":       {"chat.postMessage", token, post(`{"type":"actions","elements":[` + button("a", "1") + "," + button("a", "2") + `]}`), "invalid_blocks"},
		"a button value of 2,001":  {"chat.postMessage", token, post(`{"type":"actions","elements":[` + button("a", strings.Repeat("x", 2001)) + `]}`), "invalid_blocks"},
		"a header in markdown":     {"chat.postMessage", token, post(`{"type":"header","text":{"type":"mrkdwn","text":"x"}}`), "invalid_blocks"},
		"no such message":          {"chat.update", token, `{"channel":"C123","ts":"1.2","text":"x"}`, "message_not_found"},
		"no such person":           {"chat.postEphemeral", token, `{"channel":"C123","user":"ada","text":"x"}`, "user_not_in_channel"},
		"a person that is unknown": {"users.info", token, `{"user":"ada"}`, "user_not_found"},
		"an invented trigger":      {"views.open", token, `{"trigger_id":"1.2","view":{}}`, "invalid_trigger_id"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, slack.Options{Channels: []string{"C123"}, Outside: []string{"C777"}})
			if got := b.call(c.method, c.auth, c.args); got["ok"] != false || got["error"] != c.want {
				t.Errorf("answered %v, want %s", got, c.want)
			}
		})
	}
}

func TestAMessageIsEditedInPlace(t *testing.T) {
	b := newBench(t, slack.Options{})
	ts := b.call("chat.postMessage", token, `{"channel":"C123","text":"building"}`)["ts"].(string)
	b.call("chat.update", token, `{"channel":"C123","ts":"`+ts+`","text":"<ready>"}`)
	b.call("chat.postEphemeral", token, `{"channel":"C123","user":"U1","text":"psst"}`)
	all := b.Messages("C123")
	if len(all) != 1 || all[0].Text != "<ready>" || all[0].Edits != 1 || all[0].History[0].Text != "building" {
		t.Errorf("%+v", all)
	}
	if e := b.Ephemerals("U1"); len(e) != 1 || e[0].Text != "psst" {
		t.Errorf("%+v", e)
	}
	for path, want := range map[string]string{"/messages": `"text": "\u003cready\u003e"`, "/": "&lt;ready&gt;"} {
		resp, err := http.Get(b.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(body), want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	if got := b.call("chat.postMessage", token, `{"channel":"U1","text":"to you"}`); got["channel"] != "D1" {
		t.Errorf("a message to a person went to %v", got["channel"])
	}
}
