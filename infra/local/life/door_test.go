package life

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/slack"
)

func TestWhatIsWrongIsToldInTheWordsOfThePersonWhoAsked(t *testing.T) {
	before := inventory(t)
	commit := world.Repository.Commits["pr1"]
	cases := []struct {
		name, command, text string
		says                []string
	}{
		{"an unknown service", "/provisionenv", commit + " servise1", []string{"servise1", "service1", "service2", "web"}},
		{"no service", "/provisionenv", commit, []string{"service"}},
		{"a service twice", "/provisionenv", commit + " service1 service1", []string{"service1", "twice"}},
		{"a malformed commit", "/provisionenv", "xyz service1", []string{"commit"}},
		{"an unknown commit", "/provisionenv", "0123456789abcdef service1", []string{"0123456", "acme/shop"}},
		{"a name that is no variable", "/provisionenv", commit + " service1 --env 1BAD=x", []string{"1BAD"}},
		{"a name that the platform sets", "/provisionenv", commit + " service1 --env SERVICE2_HOST=x --env PORT=1", []string{"SERVICE2_HOST", "PORT"}},
		{"overrides over 4 KB", "/provisionenv", commit + " service1 --env BIG=" + strings.Repeat("x", 5000), []string{"4"}},
		{"a lifetime beyond the maximum", "/provisionenv", commit + " service1 --ttl 48h", []string{"24h"}},
		{"a lifetime that is no time", "/provisionenv", commit + " service1 --ttl soon", []string{"soon"}},
		{"several faults at once", "/provisionenv", commit + " servise1 --ttl 48h --env 1BAD=x", []string{"servise1", "24h", "1BAD"}},
		{"an extension of nothing", "/extendenv", "nowhere 60", []string{"no environment nowhere"}},
		{"a clean-up of nothing", "/cleanupenv", "nowhere", []string{"no environment nowhere"}},
		{"an extension by nothing", "/extendenv", "nowhere 0", []string{"/extendenv pr1 120"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer := command(t, c.command, c.text)
			for _, word := range c.says {
				if !strings.Contains(answer.Text, word) {
					t.Errorf("%s %.60s: the answer lacks %q: %s", c.command, c.text, word, answer.Text)
				}
			}
		})
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("a refused request made something (-before +after):\n%s", diff)
	}
}

// TestAnExecutionThatIsNoRequestEndsInWords has what a person in the console may type.
func TestAnExecutionThatIsNoRequestEndsInWords(t *testing.T) {
	before := inventory(t)
	for rule, c := range map[string]struct{ input, says string }{
		"a removal of nothing":            {`{"action":"cleanup"}`, "No environment is named that is to be removed."},
		"a removal of what is no text":    {`{"action":"cleanup","environment":5}`, "environment must be text"},
		"a removal of what is not there":  {`{"action":"cleanup","environment":"nowhere"}`, "There is no environment nowhere."},
		"a removal with a field too many": {`{"action":"cleanup","environment":"nowhere","forse":true}`, `no field \"forse\"`},
		"an action in capitals":           {`{"action":"Cleanup","environment":"nowhere"}`, "Did you mean cleanup?"},
		"an action that is no text":       {`{"action":5}`, "action must be text"},
		"a field that is none":            {`{"comitId":"abcd123","servicesToProvision":["service1"]}`, "Did you mean commitId?"},
		"a list":                          {`[1]`, "The input is no request"},
		"text":                            {`"pr1"`, "The input is no request"},
		"nothing":                         {`null`, "The input is no request"},
	} {
		t.Run(rule, func(t *testing.T) {
			out := ended(t, execute(t, c.input))
			if out.Status != sfntypes.ExecutionStatusFailed || aws.ToString(out.Error) != "BadRequest" || !strings.Contains(aws.ToString(out.Cause), c.says) {
				t.Errorf("it ended as %s with %s: %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
			}
		})
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("a refused request made something (-before +after):\n%s", diff)
	}
}

func TestAnExtensionIsBoundedAndAGoneEnvironmentSaysSo(t *testing.T) {
	t.Parallel()
	provision(t, "bounded", world.Repository.Commits["pr1"]+" service1 --as bounded")
	far := command(t, "/extendenv", "bounded 24h")
	if !strings.Contains(far.Text, "/extendenv bounded 1380") && !strings.Contains(far.Text, "1380 minutes") {
		t.Errorf("an extension beyond the maximum is answered without the nearest allowed: %s", far.Text)
	}
	again := command(t, "/provisionenv", world.Repository.Commits["pr1"]+" service1 --as bounded")
	if !strings.Contains(again.Text, "nothing new was started") {
		t.Errorf("the same request again is answered with %s", again.Text)
	}
	byCommit := command(t, "/extendenv", world.Repository.Commits["pr1"][:10]+" 5")
	if !strings.Contains(byCommit.Text, "bounded") {
		t.Errorf("an extension by commit is answered with %s", byCommit.Text)
	}
	remove(t, "bounded")
	for _, c := range []string{"/extendenv", "/cleanupenv"} {
		text := "bounded"
		if c == "/extendenv" {
			text += " 60"
		}
		if a := command(t, c, text); !strings.Contains(a.Text, "gone") {
			t.Errorf("%s of a gone environment is answered with %s", c, a.Text)
		}
	}
}

func TestTheDoorTakesOnlyWhatSlackSigned(t *testing.T) {
	const marker = "marker-that-no-log-may-hold"
	world.Secret("the text of a command that was refused", marker)
	form := url.Values{"command": {"/cleanupenv"}, "text": {marker}, "user_id": {"U1"}, "channel_id": {"C1"},
		"trigger_id": {"1.2"}, "response_url": {"http://127.0.0.1:1/"}}.Encode()
	now := strconv.FormatInt(time.Now().Unix(), 10)
	old := strconv.FormatInt(time.Now().Add(-6*time.Minute).Unix(), 10)
	sign := func(timestamp, body string) string {
		return slack.Sign(world.Info.SlackSigningSecret, timestamp, []byte(body))
	}
	big := "text=" + strings.Repeat("x", 1<<20)
	cases := []struct {
		name, timestamp, signature, body string
		want                             int
	}{
		{"unsigned", "", "", form, http.StatusUnauthorized},
		{"wrongly signed", now, sign(now, form+"x"), form, http.StatusUnauthorized},
		{"older than five minutes", old, sign(old, form), form, http.StatusUnauthorized},
		{"not a form", now, sign(now, `{"command":"x"}`), `{"command":"x"}`, http.StatusBadRequest},
		{"over 1 MB", now, sign(now, big), big, http.StatusRequestEntityTooLarge},
		{"signed", now, sign(now, form), form, http.StatusOK},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if status, body := post(t, c.body, c.timestamp, c.signature); status != c.want {
				t.Errorf("the door answers %d %s, want %d", status, body, c.want)
			}
		})
	}
	t.Run("repeated, it has one effect", func(t *testing.T) {
		if _, body := post(t, form, now, sign(now, form)); body != "" {
			t.Errorf("the second delivery is answered with %s", body)
		}
	})
}

func post(t testing.TB, body, timestamp, signature string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, world.Info.SlackCommands, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if signature != "" {
		req.Header.Set("X-Slack-Signature", signature)
		req.Header.Set("X-Slack-Request-Timestamp", timestamp)
	}
	resp, err := world.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer.String()
}

func TestTheFormProvisionsAndPutsFaultsOnTheirFields(t *testing.T) {
	command(t, "/provisionenv", "")
	views := world.Slack.Views(personOf(t))
	if len(views) == 0 {
		t.Fatal("/provisionenv opened no form")
	}
	view := views[len(views)-1]
	bad, err := world.Slack.Submit(t.Context(), view.ID, map[string]any{
		"commitId": "0123456789abcdef", "servicesToProvision": []string{"service1"},
		"environmentVariablesOverrides": `{"service1":{"1BAD":"x"}}`, "ttlMinutes": "48h",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"environmentVariablesOverrides", "ttlMinutes"} {
		if bad.Errors[field] == "" {
			t.Errorf("the field %s has no error; there are %v", field, bad.Errors)
		}
	}
	good, err := world.Slack.Submit(t.Context(), view.ID, map[string]any{
		"commitId": world.Repository.Commits["pr2"], "servicesToProvision": []string{"service2"}, "ttlMinutes": "30",
	})
	if err != nil || len(good.Errors) > 0 {
		t.Fatalf("submit: %v %v", err, good.Errors)
	}
	until(t, "pr2", "ready", slack.Message{})
	m := message(t, "pr2")
	if _, err := world.Slack.Press(t.Context(), personOf(t), channelOf(t), m.TS, "extend"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return message(t, "pr2").Edits > m.Edits })
	if _, err := world.Slack.Press(t.Context(), personOf(t), channelOf(t), m.TS, "cleanup"); err != nil {
		t.Fatal(err)
	}
	until(t, "pr2", "gone", slack.Message{})
	if text := fmt.Sprint(world.Slack.Ephemerals(personOf(t))); !strings.Contains(text, world.URL("pr2")) {
		t.Error("whoever sent the form was not told the URL")
	}
}
