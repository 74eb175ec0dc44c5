package slack_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

// recorded reads a payload as Slack sends it.
func recorded(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "slack", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func interaction(t *testing.T, name string) slack.Interaction {
	t.Helper()
	in, err := slack.ParseInteraction([]byte(url.Values{"payload": {string(recorded(t, name))}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestParseCommand(t *testing.T) {
	got, err := slack.ParseCommand(recorded(t, "command.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := slack.Command{
		Name: "/provisionenv", Text: "abcd123 service1 service2 --ttl 2h",
		UserID: "U2147483697", UserName: "steve", ChannelID: "C2147483705", ChannelName: "previews",
		TeamID: "T0001", EnterpriseID: "E0001",
		ResponseURL: "https://hooks.slack.com/commands/T0001/1234/5678", TriggerID: "13345224609.738474920.8088930838d88f008e0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoSlackPayloadIsRefused(t *testing.T) {
	for _, body := range []string{"", "%zz", `{"command":"/provisionenv"}`, "text=abc", "command=%2Fx"} {
		if _, err := slack.ParseCommand([]byte(body)); err == nil {
			t.Errorf("ParseCommand(%q) was let in", body)
		}
	}
	for _, body := range []string{"", "payload=", "payload=[]", "payload={", `payload={"type":"view_submission"}`,
		`payload={"type":"block_actions","user":{"id":"U1"}}`, `payload={"type":"view_submission","user":{"id":"U1"}}`} {
		if _, err := slack.ParseInteraction([]byte(body)); err == nil {
			t.Errorf("ParseInteraction(%q) was let in", body)
		}
	}
}

func TestAnUnknownInteractionIsNoError(t *testing.T) {
	in, err := slack.ParseInteraction([]byte(`payload={"type":"view_closed","user":{"id":"U1"}}`))
	if err != nil || in.Kind != "view_closed" {
		t.Errorf("ParseInteraction = %+v, %v", in, err)
	}
}

func TestParseInteractionOfAButton(t *testing.T) {
	want := slack.Interaction{
		Kind: slack.BlockActions, UserID: "U2147483697", UserName: "steve", TeamID: "T0001", ChannelID: "C2147483705",
		TriggerID:   "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
		ResponseURL: "https://hooks.slack.com/actions/T0001/1232321423432/D09sSasdasdAS9091209",
		ActionID:    slack.ActionExtend, Value: "pr1", ActionTS: "1548426417.840180", MessageTS: "1548261231.000200",
	}
	if diff := cmp.Diff(want, interaction(t, "block_actions.json")); diff != "" {
		t.Error(diff)
	}
}

func TestParseSubmission(t *testing.T) {
	in := interaction(t, "view_submission.json")
	if in.ViewID != "VNHU13V36" || in.ChannelID != "C2147483705" || in.CallbackID != slack.CallbackProvision {
		t.Errorf("the form is %+v", in)
	}
	got, faults := slack.ParseSubmission(in)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := statemachine.Request{
		CommitID: "abcd1234", PullRequest: 1, ServicesToProvision: []string{"service1", "web"}, ProvisionQueues: true,
		EnvironmentVariablesOverrides: []byte(`{"service1": {"LOG_LEVEL": "debug"}}`), TTLMinutes: 90,
	}
	if diff := cmp.Diff(want, got.Request); diff != "" {
		t.Error(diff)
	}
	if got.Repository != "acme/shop" {
		t.Errorf("repository = %q", got.Repository)
	}
}

func TestAllFaultsOfAFormComeAtOnceOnTheirFields(t *testing.T) {
	in := slack.Interaction{Inputs: map[string]slack.Input{
		slack.FieldCommit:    {Value: "12 branch"},
		slack.FieldOverrides: {Value: "{\n\"A\": secret-value}"},
		slack.FieldTTL:       {Value: "-5"},
	}}
	_, faults := slack.ParseSubmission(in)
	body, err := slack.Errors(faults)
	if err != nil {
		t.Fatal(err)
	}
	got := decode[struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
	}](t, body)
	want := map[string]string{
		slack.FieldCommit: `"12" is neither a commit nor a pull request. For the pull request write #12; of a commit give 7 or more digits.` +
			` "branch" is neither a commit nor a pull request. Give 7 or more digits of the commit, the URL of the pull request, or its number as #1.`,
		slack.FieldServices:  "Choose at least one service, or queues.",
		slack.FieldOverrides: `This is not JSON: see line 2. For example {"LOG_LEVEL": "debug"}, or {"service1": {"LOG_LEVEL": "debug"}}.`,
		slack.FieldTTL:       `A lifetime cannot be negative, and "-5" is. Write minutes (120) or a time (2h, 90m, 1h30m).`,
	}
	if diff := cmp.Diff(want, got.Errors); diff != "" || got.Action != "errors" {
		t.Errorf("%s %s", got.Action, diff)
	}
}

func TestAFormWithTwoCommitsIsRefused(t *testing.T) {
	_, faults := slack.ParseSubmission(slack.Interaction{Inputs: map[string]slack.Input{
		slack.FieldCommit: {Value: "abcd1234 abcd1235"}, slack.FieldServices: {Selected: []string{"web"}},
	}})
	if len(faults) != 1 || faults[0].Field != slack.FieldCommit {
		t.Error(faults)
	}
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte("command=%2Fprovisionenv&user_id=U1&text=abc"))
	f.Add([]byte(`payload={"type":"view_submission","user":{"id":"U1"},"view":{"state":{"values":{"a":{"b":{"value":null}}}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if c, err := slack.ParseCommand(body); err == nil && (c.Name == "" || c.UserID == "") {
			t.Errorf("%q is a command of nobody", body)
		}
		in, err := slack.ParseInteraction(body)
		if err != nil {
			return
		}
		if _, faults := slack.ParseSubmission(in); len(faults) > 0 {
			if _, err := slack.Errors(faults); err != nil {
				t.Error(err)
			}
		}
	})
}
