package kindtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// renamed are the operations that IAM knows by another name
// (docs.aws.amazon.com/service-authorization/latest/reference).
var renamed = map[string]string{
	"s3:HeadObject":    "s3:GetObject",
	"s3:ListObjectsV2": "s3:ListBucket",
	"s3:DeleteObjects": "s3:DeleteObject",
	"s3:CopyObject":    "s3:PutObject",
}

// implied are permissions that a call needs although none of its own name is
// made: each is right only beside one of the calls that AWS asks it for.
var implied = map[string][]string{
	"elasticloadbalancing:AddTags": {"elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:CreateRule"},
	"ecs:TagResource":              {"ecs:CreateService", "ecs:RegisterTaskDefinition"},
	"iam:PassRole":                 {"ecs:RegisterTaskDefinition"},
	"sqs:TagQueue":                 {"sqs:CreateQueue"},
	"s3:PutObjectTagging":          {"s3:PutObject"},
	"s3:GetObject":                 {"s3:CopyObject"},
}

// reading are the first words of the operations that change nothing.
var reading = []string{"Describe", "Get", "Head", "List"}

func (c Case) grants(t *testing.T) {
	cfg, k, r := c.start(t)
	made := ensure(t, k, r)
	ensure(t, k, made)
	if c.Others != nil {
		c.Others(t, cfg, k, made)
	}
	present(t, k, made, true)
	c.removed(t, cfg, k, made)
	if diff := cmp.Diff(want(c, awstest.Calls(t)), granted(c)); diff != "" {
		t.Errorf("grants are not the calls made (-called +granted): %s", diff)
	}
}

// want is what the calls need.
func want(c Case, calls []string) []string {
	var actions []string
	for _, call := range calls {
		if action, ok := renamed[call]; ok {
			call = action
		}
		actions = append(actions, call)
	}
	for _, action := range granted(c) {
		for _, call := range implied[action] {
			if slices.Contains(calls, call) {
				actions = append(actions, action)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

func granted(c Case) []string {
	var actions []string
	for _, grant := range c.Info.Grants {
		if !grant.Deny {
			actions = append(actions, grant.Actions...)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

func mutating(calls []string) []string {
	return slices.DeleteFunc(calls, func(call string) bool {
		_, operation, _ := strings.Cut(call, ":")
		return slices.ContainsFunc(reading, func(word string) bool { return strings.HasPrefix(operation, word) })
	})
}

func named(err error) bool {
	f := fault.As(err)
	return f != nil && slices.Contains(statemachine.Errors, f.Name)
}
