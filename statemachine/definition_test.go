package statemachine

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// state is a state of the definition, as far as the contract reads it.
type state struct {
	Type           string
	Comment        string
	Resource       string
	Parameters     map[string]any
	Next           string
	Default        string
	End            bool
	Choices        []map[string]any
	Retry, Catch   []rule
	ItemProcessor  *machine
	Branches       []machine
	TimeoutSeconds int
	TimeoutPath    string `json:"TimeoutSecondsPath"`
}

type rule struct {
	Comment     string
	ErrorEquals []string
	Next        string
}

type machine struct {
	StartAt string
	States  map[string]state
}

func parse(t *testing.T) machine {
	t.Helper()
	var m machine
	if err := json.Unmarshal([]byte(Definition), &m); err != nil {
		t.Fatalf("parse definition: %v", err)
	}
	return m
}

// walk visits a machine and all machines within it.
func walk(m machine, visit func(m machine)) {
	visit(m)
	for _, s := range m.States {
		if s.ItemProcessor != nil {
			walk(*s.ItemProcessor, visit)
		}
		for _, branch := range s.Branches {
			walk(branch, visit)
		}
	}
}

func states(t *testing.T) map[string]state {
	t.Helper()
	all := map[string]state{}
	walk(parse(t), func(m machine) {
		for name, s := range m.States {
			if _, twice := all[name]; twice {
				t.Errorf("state %s: the name stands twice; Step Functions wants it unique in the whole machine", name)
			}
			all[name] = s
		}
	})
	return all
}

func TestEveryTaskStateIsInTasksAndBack(t *testing.T) {
	var inDefinition, inTasks []string
	for name, s := range states(t) {
		if s.Type == "Task" {
			inDefinition = append(inDefinition, name)
		}
	}
	for _, task := range Tasks {
		inTasks = append(inTasks, task.State)
	}
	slices.Sort(inDefinition)
	slices.Sort(inTasks)
	if diff := cmp.Diff(inDefinition, inTasks); diff != "" {
		t.Errorf("Task states of the definition (-) and of Tasks (+) differ:\n%s", diff)
	}
}

func TestEveryTaskRunsItsFunction(t *testing.T) {
	all := states(t)
	for _, task := range Tasks {
		s := all[task.State]
		want := "${" + Substitution(task.Function) + "}"
		got := s.Resource
		if strings.HasSuffix(got, ".waitForTaskToken") {
			got, _ = s.Parameters["FunctionName"].(string)
		}
		if got != want {
			t.Errorf("state %s: runs %s, want %s", task.State, got, want)
		}
		if _, err := os.Stat(filepath.Join("..", "lambdas", task.Function, "main.go")); err != nil {
			t.Errorf("state %s: its function has no folder in lambdas: %v", task.State, err)
		}
	}
}

func TestParametersAreTheFieldsOfTheInputType(t *testing.T) {
	all := states(t)
	for _, task := range Tasks {
		parameters := all[task.State].Parameters
		if payload, ok := parameters["Payload"].(map[string]any); ok {
			parameters = payload
		}
		fields, required := jsonFields(reflect.TypeOf(task.Input))
		for key := range parameters {
			name := strings.TrimSuffix(key, ".$")
			if !slices.Contains(fields, name) {
				t.Errorf("state %s: its parameter %s is no field of %T", task.State, name, task.Input)
			}
			required = slices.DeleteFunc(required, func(r string) bool { return r == name })
		}
		if len(required) > 0 {
			t.Errorf("state %s: %T needs %v, which its parameters do not give", task.State, task.Input, required)
		}
	}
}

func jsonFields(of reflect.Type) (all, required []string) {
	for i := range of.NumField() {
		name, options, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	return all, required
}

// platform are the error names that Lambda itself gives besides its exceptions:
// docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html.
var platform = []string{"Sandbox.Timedout", "Runtime.ExitError"}

func TestErrorNamesAreKnown(t *testing.T) {
	for name, s := range states(t) {
		for _, r := range append(slices.Clone(s.Retry), s.Catch...) {
			for _, e := range r.ErrorEquals {
				known := strings.HasPrefix(e, "States.") || strings.HasPrefix(e, "Lambda.") ||
					slices.Contains(platform, e) || slices.Contains(Errors, e)
				if !known {
					t.Errorf("state %s: nobody returns the error %q", name, e)
				}
			}
		}
	}
}

func TestNoErrorThatAPersonMustActOnIsRetried(t *testing.T) {
	passing := []string{ErrThrottled, ErrUnavailable, ErrNotYet}
	for name, s := range states(t) {
		for _, r := range s.Retry {
			for _, e := range r.ErrorEquals {
				if e == "States.ALL" || e == "States.TaskFailed" || (slices.Contains(Errors, e) && !slices.Contains(passing, e)) {
					t.Errorf("state %s: retries %s, which no retry mends", name, e)
				}
			}
		}
	}
}

func TestEveryRetryAndCatchSaysWhy(t *testing.T) {
	for name, s := range states(t) {
		for _, r := range append(slices.Clone(s.Retry), s.Catch...) {
			if len(r.Comment) < 20 {
				t.Errorf("state %s: the rule for %v has no reason in its Comment", name, r.ErrorEquals)
			}
		}
	}
}

func TestEveryTaskIsBoundedAndRetriesWhatPasses(t *testing.T) {
	for name, s := range states(t) {
		if s.Type != "Task" {
			continue
		}
		if s.TimeoutSeconds == 0 && s.TimeoutPath == "" {
			t.Errorf("state %s: has no time-out; the default is a year", name)
		}
		retried := map[string]bool{}
		for _, r := range s.Retry {
			for _, e := range r.ErrorEquals {
				retried[e] = true
			}
		}
		for _, e := range []string{ErrThrottled, ErrUnavailable, "Lambda.Unknown"} {
			if !retried[e] {
				t.Errorf("state %s: does not retry %s", name, e)
			}
		}
	}
}

func TestEveryStateCanBeReachedAndEveryTargetExists(t *testing.T) {
	walk(parse(t), func(m machine) {
		reached := map[string]bool{}
		follow(t, m, m.StartAt, reached)
		for _, name := range slices.Sorted(maps.Keys(m.States)) {
			if !reached[name] {
				t.Errorf("state %s: no way leads to it", name)
			}
		}
	})
}

func follow(t *testing.T, m machine, name string, reached map[string]bool) {
	t.Helper()
	if name == "" || reached[name] {
		return
	}
	s, ok := m.States[name]
	if !ok {
		t.Errorf("state %s: is a target, and does not exist", name)
		return
	}
	reached[name] = true
	for _, next := range append(choices(s), s.Next, s.Default) {
		follow(t, m, next, reached)
	}
	for _, c := range s.Catch {
		follow(t, m, c.Next, reached)
	}
}

func choices(s state) []string {
	var names []string
	for _, c := range s.Choices {
		if next, ok := c["Next"].(string); ok {
			names = append(names, next)
		}
	}
	return names
}

func TestNoExecutionEndsWithoutPuttingItsEnvironmentRight(t *testing.T) {
	m := parse(t)
	for _, name := range []string{"OpenRoute", "Provision", "PublishRoute", "AwaitReady"} {
		catches := m.States[name].Catch
		if len(catches) == 0 || catches[len(catches)-1].Next != "Recover" || !slices.Contains(catches[len(catches)-1].ErrorEquals, "States.ALL") {
			t.Errorf("state %s: what fails in it does not lead to Recover", name)
		}
	}
}

func TestEveryOutcomeOfARemovalHasAWay(t *testing.T) {
	var ways []string
	for _, c := range parse(t).States["Sweep"].Choices {
		ways = append(ways, c["StringEquals"].(string))
	}
	want := []string{string(More), string(Pruned), string(Gone), string(RolledBack), string(LeftBehind)}
	if diff := cmp.Diff(want, ways); diff != "" {
		t.Errorf("ways of Sweep differ from the outcomes (-want +got):\n%s", diff)
	}
}

func TestRenderLeavesNoSubstitution(t *testing.T) {
	rendered := Render(func(function string) string { return "arn:aws:lambda:us-east-1:123456789012:function:" + function })
	if strings.Contains(rendered, "${") {
		t.Error("a function's ARN was not filled in")
	}
	if !json.Valid([]byte(rendered)) {
		t.Error("the rendered definition is no JSON")
	}
}

func TestTheDefinitionUsesJSONPathAlone(t *testing.T) {
	for _, word := range []string{"QueryLanguage", "JSONata", `"Assign"`, "{%"} {
		if strings.Contains(Definition, word) {
			t.Errorf("the definition holds %s, which not every interpreter runs", word)
		}
	}
}

func TestAnExecutionNameFitsStepFunctions(t *testing.T) {
	// A label has at most 40 characters; the numbers count seconds.
	name := ExecutionName(strings.Repeat("a", 40), 9_999_999_999, 9_999_999_999)
	if len(name) > 80 {
		t.Errorf("the name %s has %d characters; Step Functions takes 80", name, len(name))
	}
}

func TestTheRequestIsAcceptedAsPublished(t *testing.T) {
	published := `{"commitId":"abcd1234ef567890","servicesToProvision":["service1","service2"],"provisionQueues":true,
		"environmentVariablesOverrides":{},"environment":"pr1","pullRequest":1,"ttlMinutes":60,"requestedBy":"U123","channel":"C123"}`
	decoder := json.NewDecoder(strings.NewReader(published))
	decoder.DisallowUnknownFields()
	var got Request
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("decode the published payload: %v", err)
	}
	want := Request{
		CommitID: "abcd1234ef567890", ServicesToProvision: []string{"service1", "service2"}, ProvisionQueues: true,
		EnvironmentVariablesOverrides: json.RawMessage(`{}`), Environment: "pr1", PullRequest: 1, TTLMinutes: 60,
		RequestedBy: "U123", Channel: "C123",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request differs (-want +got):\n%s", diff)
	}
}
