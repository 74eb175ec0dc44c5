package main

import (
	"strings"
	"testing"
)

// bounded tells whether the boundary lets an action through on a resource. Its
// conditions are not asked: a denial under one counts as none.
func bounded(t *testing.T, action, arn string) bool {
	t.Helper()
	allowed := false
	for _, p := range control(t).permissions() {
		if !isBoundary(p) || !matches(p.actions, action) || !matches(p.resources, arn) {
			continue
		}
		if !p.allow && p.conditions == "" {
			return false
		}
		allowed = allowed || p.allow
	}
	return allowed
}

func matches(patterns []string, s string) bool {
	for _, pattern := range patterns {
		if covers(pattern, s) {
			return true
		}
	}
	return false
}

func TestTheBoundaryDeniesWhatReachesUsAndNothingElse(t *testing.T) {
	const here = ":us-east-1:111122223333:"
	denied := map[string][]string{
		"iam:PassRole":                         {"arn:aws:iam::111122223333:role/any"},
		"iam:DeleteRolePermissionsBoundary":    {"arn:aws:iam::111122223333:role/preview/service1"},
		"codeconnections:GetConnectionToken":   {"arn:aws:codeconnections" + here + "connection/1"},
		"codestar-connections:UseConnection":   {"arn:aws:codestar-connections" + here + "connection/1"},
		"sts:AssumeRole":                       {"arn:aws:iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-us-east-1", "arn:aws:iam::111122223333:role/PreviewEnvironments-pv-BuildRole1-a"},
		"states:StartExecution":                {"arn:aws:states" + here + "stateMachine:pv-environment"},
		"states:StopExecution":                 {"arn:aws:states" + here + "execution:pv-environment:pr1-1-1"},
		"lambda:InvokeFunction":                {"arn:aws:lambda" + here + "function:pv-build"},
		"codebuild:StartBuild":                 {"arn:aws:codebuild" + here + "project/pv-main-service1"},
		"codepipeline:EnableStageTransition":   {"arn:aws:codepipeline" + here + "pv-main-service1"},
		"cloudformation:UpdateStack":           {"arn:aws:cloudformation" + here + "stack/PreviewEnvironments-pv-web/1"},
		"dynamodb:PutItem":                     {"arn:aws:dynamodb" + here + "table/PreviewEnvironments-pv-Table1-a"},
		"ssm:PutParameter":                     {"arn:aws:ssm" + here + "parameter/pv/catalog/settings"},
		"secretsmanager:GetSecretValue":        {"arn:aws:secretsmanager" + here + "secret:pv/github-token-abcdef"},
		"ecs:UpdateService":                    {"arn:aws:ecs" + here + "service/staging/pv-pr2-service1-1"},
		"ecr:PutImage":                         {"arn:aws:ecr" + here + "repository/pv-main/service1"},
		"elasticloadbalancing:ModifyRule":      {"arn:aws:elasticloadbalancing" + here + "listener-rule/app/staging/1/2/3"},
		"elasticloadbalancing:ModifyListener":  {"arn:aws:elasticloadbalancing" + here + "listener/app/staging/1/2"},
		"elasticloadbalancing:RegisterTargets": {"arn:aws:elasticloadbalancing" + here + "targetgroup/pv-pr2-service1-1/1"},
		"route53:ChangeResourceRecordSets":     {"arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"},
		"cloudfront-keyvaluestore:PutKey":      {"arn:aws:cloudfront::111122223333:key-value-store/1"},
		"events:DisableRule":                   {"arn:aws:events" + here + "rule/PreviewEnvironments-pv-BuildEnded1-a"},
		"sqs:PurgeQueue":                       {"arn:aws:sqs" + here + "PreviewEnvironments-pv-DeadLetters1-a"},
	}
	for action, arns := range denied {
		for _, arn := range arns {
			if bounded(t, action, arn) {
				t.Errorf("a preview may %s on %s if its role says so", action, arn)
			}
		}
	}
	// What services of a baseline do, and builds.
	for action, arn := range map[string]string{
		"events:PutEvents":              "arn:aws:events" + here + "event-bus/default",
		"lambda:InvokeFunction":         "arn:aws:lambda" + here + "function:pricing",
		"states:StartExecution":         "arn:aws:states" + here + "stateMachine:orders",
		"sts:AssumeRole":                "arn:aws:iam::999988887777:role/partner",
		"sts:GetCallerIdentity":         "*",
		"ecs:RunTask":                   "arn:aws:ecs" + here + "task-definition/report:1",
		"ec2:DescribeInstances":         "*",
		"dynamodb:PutItem":              "arn:aws:dynamodb" + here + "table/orders",
		"secretsmanager:GetSecretValue": "arn:aws:secretsmanager" + here + "secret:staging/db-abcdef",
		"sqs:ReceiveMessage":            "arn:aws:sqs" + here + "pv-pr1-orders-1",
		"ecr:PutImage":                  "arn:aws:ecr" + here + "repository/pv/service1",
		"logs:PutLogEvents":             "arn:aws:logs" + here + "log-group:/aws/codebuild/pv-ephemeral-web:log-stream:1",
	} {
		if !bounded(t, action, arn) {
			t.Errorf("a preview may not %s on %s, which its service does", action, arn)
		}
	}
}

func TestNoRoleOfTheBaselineHasTheBoundary(t *testing.T) {
	for name, stack := range ours {
		for id, r := range stack.of("AWS::IAM::Role") {
			if r.at("PermissionsBoundary") != nil && !strings.HasPrefix(id, "Ephemeral") {
				t.Errorf("%s: %s has the boundary of previews", name, id)
			}
		}
	}
}
