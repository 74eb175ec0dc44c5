package request

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

func TestAnInputIsReadAsItIsPublished(t *testing.T) {
	tests := []struct {
		rule, raw string
		want      statemachine.Request
	}{
		{"all that a person writes",
			`{"commitId":"abcd123","servicesToProvision":["a"],"provisionQueues":true,"environmentVariablesOverrides":{},"environment":"pr1","pullRequest":1,"ttlMinutes":60,"requestedBy":"U1","channel":"C1","action":"provision"}`,
			statemachine.Request{CommitID: "abcd123", ServicesToProvision: []string{"a"}, ProvisionQueues: true,
				EnvironmentVariablesOverrides: json.RawMessage(`{}`), Environment: "pr1", PullRequest: 1, TTLMinutes: 60,
				RequestedBy: "U1", Channel: "C1", Action: "provision"}},
		{"nothing is missing by itself", `{}`, statemachine.Request{}},
		{"null is left out", `{"commitId":null,"servicesToProvision":null}`, statemachine.Request{}},
		{"a removal", `{"action":"cleanup","environment":"pr1"}`, statemachine.Request{Action: "cleanup", Environment: "pr1"}},
		{"what a newer door adds is left out", `{"environment":"pr1","revision":7,"size":"small"}`, statemachine.Request{Environment: "pr1", Revision: 7}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got, err := Parse(json.RawMessage(test.raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnInputThatIsNoRequestIsRefusedInWords(t *testing.T) {
	tests := []struct {
		rule, raw string
		want      []string
	}{
		{"a list", `[1]`, []string{"The input is no request: it does not begin with {. Write {"}},
		{"text", `"pr1"`, []string{"it does not begin with {"}},
		{"nothing", `null`, []string{"it does not begin with {"}},
		{"a typo is told with what it should be", `{"comitId":"abcd123"}`, []string{`no field "comitId". Did you mean commitId?`}},
		{"case counts", `{"commitID":"abcd123"}`, []string{`Did you mean commitId?`}},
		{"what is near nothing is told with all", `{"flavour":"sweet"}`, []string{`no field "flavour". There are commitId, `}},
		{"an action is written as it is", `{"action":"Cleanup","environment":"pr1"}`, []string{`no action "Cleanup". Did you mean cleanup?`}},
		{"an action that is none", `{"action":"restart"}`, []string{`no action "restart". There are provision, cleanup.`}},
		{"a removal of nothing", `{"action":"cleanup"}`, []string{`No environment is named that is to be removed. Write {"action": "cleanup", "environment": "pr1"}.`}},
		{"a removal of what is no text", `{"action":"cleanup","environment":5}`, []string{"environment must be text", "No environment is named"}},
		{"each type in words", `{"commitId":1,"servicesToProvision":"a","provisionQueues":"yes","pullRequest":"1","ttlMinutes":1.5}`,
			[]string{"commitId must be text", "servicesToProvision must be a list of names", "provisionQueues must be true or false", "pullRequest must be a whole number", "ttlMinutes must be a whole number"}},
		{"everything at once", `{"comitId":"abcd123","servicesToProvison":["a"],"action":"Provision"}`, []string{"comitId", "servicesToProvison", "Did you mean provision?"}},
		{"a secret in the wrong place is not repeated", `{"ghp_abcdefghijklmnop":"x"}`, []string{"no field (a secret)"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			_, err := Parse(json.RawMessage(test.raw))
			var faults fault.List
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want a fault.List", err)
			}
			expectFaults(t, faults, "", test.want)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range []string{``, `{}`, `[]`, `null`, `{"action":"cleanup"}`, `{"commitId":"a","commitId":1}`, `{"revision":1,"x":{}}`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw)
		if err == nil {
			if back, failed := json.Marshal(r); failed != nil || !json.Valid(back) {
				t.Errorf("what was read of %q cannot be written: %v", raw, failed)
			}
			return
		}
		if !fault.Is(err, statemachine.ErrBadRequest) {
			t.Errorf("%q is refused by %v", raw, err)
		}
	})
}
