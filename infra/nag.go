package main

import (
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"previewenv/lambdas/kinds"
)

// accept suppresses one rule of cdk-nag on a construct and what is below it, with
// the reason that a reviewer reads beside it.
func accept(on constructs.IConstruct, rule, reason string, findings ...string) {
	suppression := &cdknag.NagPackSuppression{Id: &rule, Reason: &reason}
	if len(findings) > 0 {
		list := make([]any, len(findings))
		for i, f := range findings {
			list[i] = f
		}
		suppression.AppliesTo = &list
	}
	cdknag.NagSuppressions_AddResourceSuppressions(on, &[]*cdknag.NagPackSuppression{suppression}, jsii.Bool(true))
}

// suppressGrants says for the wildcards of a policy why they are there: for a whole
// "*" the grant itself knows, and a pattern ends where names begin that only a
// request gives.
func suppressGrants(on constructs.IConstruct, grants []kinds.Grant) {
	reason := "Resources of environments are named <prefix>-…, and which there will be only a request says; the pattern ends at that prefix."
	for _, g := range grants {
		for _, resource := range g.Resources {
			if resource == "*" {
				reason += fmt.Sprintf(" %v: %s", g.Actions, g.Why)
			}
		}
	}
	accept(on, "AwsSolutions-IAM5", reason)
}
