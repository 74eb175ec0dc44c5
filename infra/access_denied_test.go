package main

import (
	"maps"
	"slices"
	"testing"
)

// What nobody may do: each is one change away from a call that is allowed.
const (
	elbOf  = "arn:aws:elasticloadbalancing:us-east-1:111122223333:"
	sqsOf  = "arn:aws:sqs:us-east-1:111122223333:"
	ecsOf  = "arn:aws:ecs:us-east-1:111122223333:"
	logsOf = "arn:aws:logs:us-east-1:111122223333:log-group:"
	aRule  = elbOf + "listener-rule/app/staging/0123456789abcdef/fedcba9876543210/0123456789abcdef"
)

// tagsOf are the tags of a resource, as keys of a condition.
func tagsOf(managedBy string) map[string]string {
	if managedBy == "" {
		return nil
	}
	return map[string]string{"aws:ResourceTag/ManagedBy": managedBy, "aws:ResourceTag/Environment": "label"}
}

// tagsIn are those of a resource of the catalog's cluster.
func tagsIn(managedBy string) map[string]string {
	tags := inCluster("staging")
	maps.Copy(tags, tagsOf(managedBy))
	return tags
}

func madeBy(by string) map[string]string {
	return map[string]string{"elasticloadbalancing:CreateAction": by}
}

func inCluster(name string) map[string]string {
	return map[string]string{"ecs:cluster": ecsOf + "cluster/" + name}
}

// denied are requests by the rule that they would break.
var denied = map[string][]question{
	"a rule of the baseline stays": {
		{Caller: "rule", Action: "elasticloadbalancing:DeleteRule", Resource: aRule},
		{Caller: "rule", Action: "elasticloadbalancing:ModifyRule", Resource: aRule},
		{Caller: "reap", Action: "elasticloadbalancing:DeleteRule", Resource: aRule},
		{Caller: "reap", Action: "elasticloadbalancing:DeleteRule", Resource: aRule, Context: tagsOf("payroll")},
		{Caller: "rule", Action: "elasticloadbalancing:AddTags", Resource: aRule},
		{Caller: "rule", Action: "elasticloadbalancing:AddTags", Resource: aRule, Context: madeBy("CreateTargetGroup")},
		{Caller: "rule", Action: "elasticloadbalancing:RemoveTags", Resource: aRule, Context: tagsOf("pv")},
	},
	"a rule of another listener stays": {
		{Caller: "rule", Action: "elasticloadbalancing:CreateRule", Resource: elbOf + "listener/app/production/0123456789abcdef/fedcba9876543210"},
		{Caller: "reap", Action: "elasticloadbalancing:DeleteRule", Resource: elbOf + "listener-rule/app/production/0123456789abcdef/fedcba9876543210/0123456789abcdef", Context: tagsOf("pv")},
	},
	"nobody moves rules": everybody(question{Action: "elasticloadbalancing:SetRulePriorities", Resource: aRule, Context: tagsOf("pv")}),
	"nobody changes a listener": everybody(question{
		Action: "elasticloadbalancing:ModifyListener", Resource: elbOf + "listener/app/staging/0123456789abcdef/fedcba9876543210",
	}),
	"the baseline's frontend stays": {
		{Caller: "frontend", Action: "s3:PutObject", Resource: "arn:aws:s3:::site/default/index.html"},
		{Caller: "frontend", Action: "s3:DeleteObject", Resource: "arn:aws:s3:::site/default/index.html"},
		{Caller: "reap", Action: "s3:DeleteObject", Resource: "arn:aws:s3:::site/default/assets/app.js"},
		{Caller: "frontend", Action: "s3:PutObject", Resource: "arn:aws:s3:::artifacts/builds/web/commit.zip"},
	},
	"a queue of the baseline stays": {
		{Caller: "queue", Action: "sqs:DeleteQueue", Resource: sqsOf + "staging-orders", Context: tagsOf("pv")},
		{Caller: "reap", Action: "sqs:DeleteQueue", Resource: sqsOf + "staging-orders", Context: tagsOf("pv")},
	},
	"a queue of our prefix without our tag stays": {
		{Caller: "queue", Action: "sqs:DeleteQueue", Resource: sqsOf + "pv-payroll-jobs"},
		{Caller: "reap", Action: "sqs:DeleteQueue", Resource: sqsOf + "pv-payroll-jobs"},
		{Caller: "reap", Action: "sqs:DeleteQueue", Resource: sqsOf + "pv-payroll-jobs", Context: tagsOf("payroll")},
		{Caller: "queue", Action: "sqs:TagQueue", Resource: sqsOf + "pv-payroll-jobs", Context: tagsOf("payroll")},
	},
	"another installation's resources stay": {
		{Caller: "reap", Action: "sqs:DeleteQueue", Resource: sqsOf + "pv-b-pr1-orders-1", Context: tagsOf("pv-b")},
		{Caller: "reap", Action: "ecs:DeleteService", Resource: ecsOf + "service/staging/pv-b-pr1-service1-1", Context: tagsIn("pv-b")},
		{Caller: "service", Action: "ecs:UpdateService", Resource: ecsOf + "service/staging/pv-b-pr1-service1-1", Context: tagsIn("pv-b")},
		{Caller: "reap", Action: "ecs:DeleteTaskDefinitions", Resource: ecsOf + "task-definition/pv-b-pr1-service1-1:1", Context: tagsOf("pv-b")},
		{Caller: "targetgroup", Action: "elasticloadbalancing:ModifyTargetGroup", Resource: elbOf + "targetgroup/pv-b-pr1-service1-1/0123456789abcdef", Context: tagsOf("pv-b")},
		{Caller: "reap", Action: "elasticloadbalancing:DeleteTargetGroup", Resource: elbOf + "targetgroup/pv-b-pr1-service1-1/0123456789abcdef", Context: tagsOf("pv-b")},
		{Caller: "reap", Action: "elasticloadbalancing:DeleteRule", Resource: aRule, Context: tagsOf("pv-b")},
	},
	"a service of the baseline stays": {
		{Caller: "service", Action: "ecs:UpdateService", Resource: ecsOf + "service/staging/service1", Context: tagsOf("pv")},
		{Caller: "service", Action: "ecs:DeleteService", Resource: ecsOf + "service/staging/pv-monitoring", Context: tagsIn("")},
		{Caller: "reap", Action: "ecs:DeleteService", Resource: ecsOf + "service/production/pv-name", Context: tagsOf("pv")},
		{Caller: "service", Action: "ecs:CreateService", Resource: ecsOf + "service/production/pv-name"},
		{Caller: "service", Action: "ecs:RegisterTaskDefinition", Resource: ecsOf + "task-definition/service1:1"},
		{Caller: "service", Action: "ecs:ListTasks", Resource: "*", Context: inCluster("production")},
		{Caller: "service", Action: "ecs:TagResource", Resource: ecsOf + "service/staging/pv-name"},
		{Caller: "service", Action: "ecs:ExecuteCommand", Resource: ecsOf + "cluster/staging", Context: inCluster("staging")},
	},
	"a target group of the baseline stays": {
		{Caller: "targetgroup", Action: "elasticloadbalancing:ModifyTargetGroup", Resource: elbOf + "targetgroup/staging-service1/0123456789abcdef", Context: tagsOf("pv")},
		{Caller: "targetgroup", Action: "elasticloadbalancing:DeleteTargetGroup", Resource: elbOf + "targetgroup/pv-qa/0123456789abcdef"},
		{Caller: "targetgroup", Action: "elasticloadbalancing:AddTags", Resource: elbOf + "targetgroup/pv-qa/0123456789abcdef"},
	},
	"a role is passed to a task alone, and none of the control plane's": {
		{Caller: "service", Action: "iam:PassRole", Resource: "arn:aws:iam::111122223333:role/preview/task", Context: map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}},
		{Caller: "service", Action: "iam:PassRole", Resource: "arn:aws:iam::111122223333:role/admin", Context: map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
	},
	"another project is not started": {
		{Caller: "build", Action: "codebuild:StartBuild", Resource: "arn:aws:codebuild:us-east-1:111122223333:project/pv-main-service1"},
		{Caller: "build", Action: "codebuild:StartBuild", Resource: "arn:aws:codebuild:us-east-1:111122223333:project/payroll"},
	},
	"no kind does another's work": {
		{Caller: "queue", Action: "elasticloadbalancing:CreateRule", Resource: elbOf + "listener/app/staging/0123456789abcdef/fedcba9876543210"},
		{Caller: "reap", Action: "elasticloadbalancing:CreateRule", Resource: elbOf + "listener/app/staging/0123456789abcdef/fedcba9876543210"},
		{Caller: "reap", Action: "sqs:CreateQueue", Resource: sqsOf + "pv-name"},
		{Caller: "reap", Action: "ecs:UpdateService", Resource: ecsOf + "service/staging/pv-name", Context: tagsOf("pv")},
		{Caller: "cleanup", Action: "sqs:DeleteQueue", Resource: sqsOf + "pv-name", Context: tagsOf("pv")},
	},
	"logs of others are not read": {
		{Caller: "service", Action: "logs:GetLogEvents", Resource: logsOf + "/aws/lambda/payroll:log-stream:2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef"},
		{Caller: "service", Action: "logs:GetLogEvents", Resource: logsOf + "/aws/codebuild/payroll:log-stream:a/b/0123456789abcdef0123456789abcdef"},
		{Caller: "service", Action: "logs:GetLogEvents", Resource: logsOf + "cloudtrail:log-stream:111122223333_CloudTrail_us-east-1"},
		{Caller: "build", Action: "logs:GetLogEvents", Resource: logsOf + "/staging/service1:log-stream:service1/app/0123456789abcdef0123456789abcdef"},
	},
	"secrets of others are not read": {
		{Caller: "slack", Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/payments-db-AbCdEf"},
		{Caller: "notify", Action: "secretsmanager:GetSecretValue", Resource: "arn:aws:secretsmanager:us-east-1:111122223333:secret:pv/slack-signing-secret-AbCdEf"},
	},
}

// everybody is a question of each function.
func everybody(q question) []question {
	names, err := functionNames("..")
	if err != nil {
		panic(err) // the folders of this repository
	}
	var all []question
	for _, name := range names {
		q.Caller = name
		all = append(all, q)
	}
	return all
}

func TestWhatIsNotOursIsDenied(t *testing.T) {
	var questions []question
	var rules []string
	for _, rule := range slices.Sorted(maps.Keys(denied)) {
		for _, q := range denied[rule] {
			questions, rules = append(questions, q), append(rules, rule)
		}
	}
	for i, a := range simulate(t, questions) {
		if a.allowed() || a.Error != "" {
			t.Errorf("%s: %s: %s %s", rules[i], questions[i], a.Result, a.Error)
		}
	}
}

// buildOverrides are keys of what a start of a build may set beside its project
// (docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html).
var buildOverrides = []string{
	"codebuild:serviceRole", "codebuild:source.buildspec", "codebuild:source.location",
	"codebuild:environment.image", "codebuild:environment.type", "codebuild:environment.privilegedMode",
}

func TestABuildMayNotOverrideItsProject(t *testing.T) {
	const project = "arn:aws:codebuild:us-east-1:111122223333:project/pv-ephemeral-service1"
	plain := question{Caller: "build", Action: "codebuild:StartBuild", Resource: project}
	questions := []question{plain}
	for _, key := range buildOverrides {
		q := plain
		q.Context = map[string]string{key: "given"}
		questions = append(questions, q)
	}
	for i, a := range simulate(t, questions) {
		switch {
		case len(a.Ignored) > 0:
			t.Errorf("%s: AWS does not send %v with this action", questions[i], a.Ignored)
		case a.Error != "" || a.allowed() != (i == 0):
			t.Errorf("%s: %s %s", questions[i], a.Result, a.Error)
		}
	}
}
