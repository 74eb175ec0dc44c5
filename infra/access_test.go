package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// question is one request to IAM, as the recorded lives of the local stack have it.
type question struct {
	Caller   string            `json:"caller"`
	Action   string            `json:"action"`
	Resource string            `json:"resource"`
	Context  map[string]string `json:"context,omitempty"`

	// Of the simulation alone.
	Policies   []any `json:"policies"`
	Boundaries []any `json:"boundaries,omitempty"`
}

func (q question) String() string {
	data, _ := json.Marshal(q.Context) // strings alone
	return fmt.Sprintf("%s: %s on %s with %s", q.Caller, q.Action, q.Resource, data)
}

// asked are the recorded requests: the test of infra/local/life writes them.
func asked(t *testing.T) []question {
	t.Helper()
	text, err := os.ReadFile("../testdata/access.golden")
	if err != nil {
		t.Fatalf("%v; make it: go test ./infra/local/life -update", err)
	}
	var all []question
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var q question
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}

// answer is what the evaluator says.
type answer struct {
	Result  string   `json:"result"`
	Error   string   `json:"error"`
	Ignored []string `json:"ignored"` // keys that AWS does not send with the action
}

func (a answer) allowed() bool { return a.Error == "" && a.Result == "Allowed" }

// simulate puts the questions to the evaluator, each under the policies of its caller.
func simulate(t *testing.T, questions []question) []answer {
	t.Helper()
	for i, q := range questions {
		if q.Policies == nil {
			questions[i].Policies = documentsOf(t, roleOf(t, q.Caller))
		}
	}
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", "simulate.mjs")
	var complaint bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(input), &complaint
	output, err := command.Output()
	if err != nil {
		t.Fatalf("evaluate policies: %v: %s; it needs infra/node_modules: make synth makes them", err, complaint.String())
	}
	var answers []answer
	if err := json.Unmarshal(output, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions (%v)", len(answers), len(questions), err)
	}
	return answers
}

// inSample are the values of the references in the sample of the recorded lives.
var inSample = strings.NewReplacer(
	"<AWS::Partition>", "aws", "<AWS::AccountId>", "111122223333", "<AWS::Region>", "us-east-1", "<Environments>", "Environments",
	"<Site>", "site", "<Artifacts>", "artifacts", "<Sources>", "sources", "<Distribution>", "DISTRIBUTION",
	"<Store.Arn>", "arn:aws:cloudfront::111122223333:key-value-store/store",
)

// logical is a reference by its logical id, behind which CDK puts a hash.
var logical = regexp.MustCompile(`<([A-Za-z]+?)[0-9A-F]{8}(\.[A-Za-z]+)?>`)

// ownName is whatever other reference, as a name that nothing else has.
var ownName = regexp.MustCompile(`<([A-Za-z0-9]+)\.Arn>`)

// documentsOf are the policies of a role as IAM reads them.
func documentsOf(t *testing.T, role string) []any {
	t.Helper()
	var policies []any
	for _, r := range control(t).of("AWS::IAM::Policy") {
		if slices.ContainsFunc(list(r.at("Roles")), func(name string) bool { return strings.Trim(name, "<>") == role }) {
			policies = append(policies, resolved(r.at("PolicyDocument")))
		}
	}
	if len(policies) == 0 {
		t.Fatalf("the role %s has no policy", role)
	}
	return policies
}

// resolved is a document without CloudFormation's functions.
func resolved(v any) any {
	switch v := v.(type) {
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = resolved(v[i])
		}
		return all
	case map[string]any:
		if len(v) == 1 {
			for key := range v {
				if key == "Ref" || strings.HasPrefix(key, "Fn::") {
					return ownName.ReplaceAllString(inSample.Replace(logical.ReplaceAllString(intrinsic(v), "<$1$2>")), "arn:aws:none:us-east-1:111122223333:$1")
				}
			}
		}
		all := map[string]any{}
		for key := range v {
			all[key] = resolved(v[key])
		}
		return all
	}
	return v
}

func TestEveryRecordedCallIsAllowed(t *testing.T) {
	questions := asked(t)
	for i, a := range simulate(t, questions) {
		if !a.allowed() {
			t.Errorf("%s: %s %s (keys that are not sent: %v)", questions[i], a.Result, a.Error, a.Ignored)
		}
	}
}

func TestEveryRecordedCallIsPutToTheEvaluator(t *testing.T) {
	put := map[string]bool{}
	for _, q := range asked(t) {
		put[q.Caller+" "+q.Action] = true
	}
	for function, calls := range recorded(t) {
		for call := range calls {
			if _, rare := seldom[function+" "+call]; !rare && !put[function+" "+call] {
				t.Errorf("%s calls %s, and testdata/access.golden does not say on what", function, call)
			}
		}
	}
}
