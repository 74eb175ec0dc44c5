package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
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

// afterPolicies lets a resource wait for the policies of its role and not for the
// role, which its own reference waits for: CDK says both, and cfn-lint once is enough.
func afterPolicies(made constructs.IConstruct, policies ...constructs.IConstruct) {
	resource := made.Node().DefaultChild().(awscdk.CfnResource)
	ids := []*string{}
	for _, policy := range policies {
		ids = append(ids, resource.Stack().GetLogicalId(policy.Node().DefaultChild().(awscdk.CfnElement)))
	}
	if len(ids) == 0 {
		resource.AddDeletionOverride(jsii.String("DependsOn"))
		return
	}
	resource.AddOverride(jsii.String("DependsOn"), ids)
}

// policyOf is what has been added to a role itself.
func policyOf(role awsiam.IRole) constructs.IConstruct {
	return role.Node().FindChild(jsii.String("DefaultPolicy"))
}

// policiesOf are those of several roles; one may have none.
func policiesOf(roles ...awsiam.IRole) []constructs.IConstruct {
	var all []constructs.IConstruct
	for _, role := range roles {
		if policy := role.Node().TryFindChild(jsii.String("DefaultPolicy")); policy != nil {
			all = append(all, policy)
		}
	}
	return all
}
