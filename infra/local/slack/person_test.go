package slack_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/slack"
)

func TestCommandShowsTheAnswer(t *testing.T) {
	b := newBench(t, slack.Options{})
	b.answer(`{"response_type":"ephemeral","text":"on its way"}`)
	got, err := b.Command(t.Context(), "U1", "C123", "/provisionenv", "abcd123 web")
	if err != nil || got.Text != "on its way" || got.Status != 200 || got.ResponseType != "ephemeral" {
		t.Fatalf("%+v, %v", got, err)
	}
	if b.form.Get("text") != "abcd123 web" || b.form.Get("command") != "/provisionenv" || b.form.Get("channel_id") != "C123" || b.form.Get("user_id") != "U1" {
		t.Errorf("the door was sent %v", b.form)
	}
	if e := b.Ephemerals("U1"); len(e) != 1 || e[0].Text != "on its way" {
		t.Errorf("shown %+v", e)
	}
	b.answer(`{"response_type":"in_channel","text":"for all"}`)
	if _, err := b.Command(t.Context(), "U1", "C123", "/listenvs", ""); err != nil || len(b.Messages("C123")) != 1 {
		t.Errorf("in_channel: %v", err)
	}
	b.answer(`{"response_type":"ephemeral"}`)
	if _, err := b.Command(t.Context(), "U1", "C123", "/x", ""); !errors.Is(err, slack.ErrAnswer) {
		t.Errorf("an empty answer: %v", err)
	}
	b.door = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	if got, err := b.Command(t.Context(), "U1", "C123", "/x", ""); !errors.Is(err, slack.ErrDispatch) || got.Status != 401 {
		t.Errorf("a 401: %+v %v", got, err)
	}
	b.door = nil
	if got, err := b.Command(t.Context(), "U1", "C123", "/x", ""); err != nil || got.Text != "" || len(b.Ephemerals("U1")) != 1 {
		t.Errorf("a bare 200: %+v %v", got, err)
	}
}

const form = `{"type":"modal","callback_id":"provision","private_metadata":"C123",
 "title":{"type":"plain_text","text":"t"},"submit":{"type":"plain_text","text":"s"},"blocks":[
 {"type":"input","block_id":"commitId","label":{"type":"plain_text","text":"l"},"element":{"type":"plain_text_input","action_id":"i","max_length":10}},
 {"type":"input","block_id":"services","optional":true,"label":{"type":"plain_text","text":"l"},"element":{"type":"multi_static_select","action_id":"i",
  "options":[{"text":{"type":"plain_text","text":"web"},"value":"web"},{"text":{"type":"plain_text","text":"api"},"value":"api"}]}}]}`

// opened gives a command a trigger, and a form to it.
func (b *bench) opened() string {
	b.t.Helper()
	if _, err := b.Command(b.t.Context(), "U1", "C123", "/provisionenv", ""); err != nil {
		b.t.Fatal(err)
	}
	got := b.call("views.open", token, `{"trigger_id":"`+b.form.Get("trigger_id")+`","view":`+form+`}`)
	if got["ok"] != true {
		b.t.Fatal(got)
	}
	return got["view"].(map[string]any)["id"].(string)
}

func TestSubmit(t *testing.T) {
	b := newBench(t, slack.Options{})
	id := b.opened()
	if _, err := b.Submit(t.Context(), id, map[string]any{"services": []string{"web"}}); err == nil {
		t.Error("a form without what it needs was sent")
	}
	for _, wrong := range []map[string]any{
		{"commitId": "abcd123", "services": []string{"nope"}}, {"commitId": "abcd123", "other": "x"}, {"commitId": strings.Repeat("a", 11)}, {"commitId": 7},
	} {
		if _, err := b.Submit(t.Context(), id, wrong); err == nil {
			t.Errorf("%v was sent", wrong)
		}
	}
	b.answer(`{"response_action":"errors","errors":{"commitId":"no such commit"}}`)
	got, err := b.Submit(t.Context(), id, map[string]any{"commitId": "abcd123"})
	if diff := cmp.Diff(map[string]string{"commitId": "no such commit"}, got.Errors); diff != "" || err != nil || len(b.Views("U1")) != 1 {
		t.Error(diff, err)
	}
	b.answer(`{"response_action":"errors","errors":{"elsewhere":"x"}}`)
	if _, err := b.Submit(t.Context(), id, map[string]any{"commitId": "abcd123"}); !errors.Is(err, slack.ErrAnswer) {
		t.Errorf("an error on no input: %v", err)
	}
	b.door = nil
	if _, err := b.Submit(t.Context(), id, map[string]any{"commitId": "abcd123", "services": []string{"api"}}); err != nil || len(b.Views("U1")) != 0 {
		t.Errorf("the form did not close: %v", err)
	}
	var p struct {
		Type string
		View struct {
			Metadata string `json:"private_metadata"`
			State    struct {
				Values map[string]map[string]struct {
					Value    string
					Selected []struct{ Value string } `json:"selected_options"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(b.form.Get("payload")), &p); err != nil {
		t.Fatal(err)
	}
	if v := p.View.State.Values; p.Type != "view_submission" || p.View.Metadata != "C123" || v["commitId"]["i"].Value != "abcd123" || v["services"]["i"].Selected[0].Value != "api" {
		t.Errorf("%+v", p)
	}
}

func TestATriggerOpensOneFormWithinThreeSeconds(t *testing.T) {
	b := newBench(t, slack.Options{})
	b.opened()
	used := b.form.Get("trigger_id")
	if got := b.call("views.open", token, `{"trigger_id":"`+used+`","view":`+form+`}`); got["error"] != "exchanged_trigger_id" {
		t.Errorf("twice: %v", got)
	}
	if _, err := b.Command(t.Context(), "U1", "C123", "/provisionenv", ""); err != nil {
		t.Fatal(err)
	}
	id := b.form.Get("trigger_id")
	if got := b.call("views.open", token, `{"trigger_id":"`+id+`","view":`+strings.Replace(form, `"submit"`, `"_"`, 1)+`}`); got["error"] != "invalid_arguments" {
		t.Errorf("without submit: %v", got)
	}
	b.now = b.now.Add(4 * time.Second)
	if got := b.call("views.open", token, `{"trigger_id":"`+id+`","view":`+form+`}`); got["error"] != "expired_trigger_id" {
		t.Errorf("late: %v", got)
	}
}

func TestPress(t *testing.T) {
	b := newBench(t, slack.Options{})
	ts := b.call("chat.postMessage", token, `{"channel":"C123","text":"pr1","blocks":[{"type":"actions","block_id":"environment","elements":[
	 {"type":"button","action_id":"extend","value":"pr1","text":{"type":"plain_text","text":"Extend"}}]}]}`)["ts"].(string)
	if _, err := b.Press(t.Context(), "U1", "C123", ts, "cleanup"); err == nil {
		t.Error("a button that is not there was pressed")
	}
	if got, err := b.Press(t.Context(), "U1", "C123", ts, "extend"); err != nil || got.Status != 200 {
		t.Fatalf("%+v, %v", got, err)
	}
	var p struct {
		Type    string
		Actions []struct {
			ID    string `json:"action_id"`
			Value string
		}
		Container struct {
			TS string `json:"message_ts"`
		}
		Response string `json:"response_url"`
	}
	if err := json.Unmarshal([]byte(b.form.Get("payload")), &p); err != nil {
		t.Fatal(err)
	}
	if p.Type != "block_actions" || p.Actions[0].ID != "extend" || p.Actions[0].Value != "pr1" || p.Container.TS != ts {
		t.Errorf("%+v", p)
	}
	for use := range 6 {
		req, _ := http.NewRequest(http.MethodPost, p.Response, strings.NewReader(`{"text":"done"}`))
		if got := b.do(req); (use < 5) != (got["ok"] == true) {
			t.Errorf("use %d: %v", use+1, got)
		}
	}
	if n := len(b.Ephemerals("U1")); n != 5 {
		t.Errorf("%d answers were shown", n)
	}
}

func TestAResponseURLLastsThirtyMinutes(t *testing.T) {
	b := newBench(t, slack.Options{})
	if _, err := b.Command(t.Context(), "U1", "C123", "/x", ""); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(31 * time.Minute)
	req, _ := http.NewRequest(http.MethodPost, b.form.Get("response_url"), strings.NewReader(`{"text":"late"}`))
	if got := b.do(req); got["error"] != "expired_url" {
		t.Errorf("%v", got)
	}
}

func TestALateAnswerIsATimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("waits three seconds")
	}
	b := newBench(t, slack.Options{})
	b.door = func(http.ResponseWriter, *http.Request) { time.Sleep(3050 * time.Millisecond) }
	if _, err := b.Command(t.Context(), "U1", "C123", "/x", ""); !errors.Is(err, slack.ErrTimeout) {
		t.Errorf("%v", err)
	}
}
