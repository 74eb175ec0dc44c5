package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// permission is one statement of a role.
type permission struct {
	role       string // logical id
	allow      bool
	actions    []string
	resources  []string
	conditions string // JSON
}

// permissions are all statements of a stack, with the role that they are for.
func (t template) permissions() []permission {
	var all []permission
	add := func(role string, document any) {
		statements, _ := document.(map[string]any)["Statement"].([]any)
		for _, s := range statements {
			statement := s.(map[string]any)
			condition := ""
			if c, ok := statement["Condition"]; ok {
				data, _ := json.Marshal(c) // it came from JSON
				condition = string(data)
			}
			all = append(all, permission{
				role: role, allow: statement["Effect"] == "Allow", actions: list(statement["Action"]),
				resources: list(statement["Resource"]), conditions: condition,
			})
		}
	}
	for _, r := range t.of("AWS::IAM::Policy") {
		for _, role := range list(r.at("Roles")) {
			add(strings.Trim(role, "<>"), r.at("PolicyDocument"))
		}
	}
	for id, r := range t.of("AWS::IAM::ManagedPolicy") {
		add(id, r.at("PolicyDocument"))
	}
	for id, r := range t.of("AWS::IAM::Role") {
		policies, _ := r.at("Policies").([]any)
		for _, p := range policies {
			add(id, p.(map[string]any)["PolicyDocument"])
		}
	}
	return all
}

// roleOf is the logical id of a function's role.
func roleOf(t *testing.T, name string) string {
	t.Helper()
	for _, r := range control(t).of("AWS::Lambda::Function") {
		if r.at("FunctionName") == "pv-"+name {
			return strings.TrimSuffix(strings.TrimPrefix(text(r.at("Role")), "<"), ".Arn>")
		}
	}
	t.Fatalf("there is no function %s", name)
	return ""
}

// grantedTo are the actions that a role is allowed, sorted.
func grantedTo(t *testing.T, role string) []string {
	t.Helper()
	actions := map[string]bool{}
	for _, p := range control(t).permissions() {
		if p.role == role && p.allow {
			for _, a := range p.actions {
				actions[a] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(actions))
}

// holders are the roles that are allowed an action, whatever the resource.
func holders(action string) []string {
	roles := map[string]bool{}
	for _, t := range ours {
		for _, p := range t.permissions() {
			if p.allow && slices.ContainsFunc(p.actions, func(pattern string) bool { return covers(pattern, action) }) {
				roles[p.role] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(roles))
}

// covers tells whether a pattern of IAM, with * and ?, covers a text.
func covers(pattern, s string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted)
	return regexp.MustCompile("(?i)^" + quoted + "$").MatchString(s)
}

// isBoundary tells that a policy grants nothing.
func isBoundary(p permission) bool { return strings.HasPrefix(p.role, "Boundary") }
