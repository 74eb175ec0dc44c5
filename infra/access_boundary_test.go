package main

import (
	"testing"
)

// TestTheBoundaryHoldsWhateverARoleIsGiven gives a role everything, and lets the
// boundary of the roles that run the code of a pull request say what is left of it.
func TestTheBoundaryHoldsWhateverARoleIsGiven(t *testing.T) {
	everything := []any{map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"},
	}}}
	var boundaries []any
	for id, r := range control(t).of("AWS::IAM::ManagedPolicy") {
		if isBoundary(permission{role: id}) {
			boundaries = append(boundaries, resolved(r.at("PolicyDocument")))
		}
	}
	if len(boundaries) != 1 {
		t.Fatalf("%d boundaries, want 1", len(boundaries))
	}
	var questions []question
	add := func(actions map[string]string) {
		for action, resource := range actions {
			questions = append(questions, question{Caller: "task", Action: action, Resource: resource, Policies: everything, Boundaries: boundaries})
		}
	}
	add(map[string]string{
		"elasticloadbalancing:CreateRule":        elbOf + "listener/app/staging/0123456789abcdef/fedcba9876543210",
		"elasticloadbalancing:DeleteRule":        aRule,
		"ecs:UpdateService":                      ecsOf + "service/staging/service1",
		"dynamodb:PutItem":                       "arn:aws:dynamodb:us-east-1:111122223333:table/PreviewEnvironments-pv-Environments0123",
		"secretsmanager:GetSecretValue":          "arn:aws:secretsmanager:us-east-1:111122223333:secret:pv/slack-signing-secret-AbCdEf",
		"ssm:PutParameter":                       "arn:aws:ssm:us-east-1:111122223333:parameter/pv/catalog/settings",
		"iam:PassRole":                           "arn:aws:iam::111122223333:role/preview/task",
		"iam:PutRolePolicy":                      "arn:aws:iam::111122223333:role/preview/task",
		"cloudfront-keyvaluestore:PutKey":        "arn:aws:cloudfront::111122223333:key-value-store/store",
		"codebuild:StartBuild":                   "arn:aws:codebuild:us-east-1:111122223333:project/pv-main-service1",
		"cloudformation:UpdateStack":             "arn:aws:cloudformation:us-east-1:111122223333:stack/PreviewEnvironments-pv/0123",
		"codepipeline:StartPipelineExecution":    "arn:aws:codepipeline:us-east-1:111122223333:pv-main-service1",
		"route53:ChangeResourceRecordSets":       "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ",
		"ec2:AuthorizeSecurityGroupIngress":      "arn:aws:ec2:us-east-1:111122223333:security-group/sg-0123456789abcdef0",
		"elasticloadbalancing:SetRulePriorities": aRule,
		"elasticloadbalancing:ModifyTargetGroup": elbOf + "targetgroup/staging-service1/0123456789abcdef",
		"elasticloadbalancing:DeregisterTargets": elbOf + "targetgroup/staging-service1/0123456789abcdef",
		"cloudfront-keyvaluestore:DeleteKey":     "arn:aws:cloudfront::111122223333:key-value-store/store",
		"ecs:RegisterTaskDefinition":             ecsOf + "task-definition/service1:1",
		"cloudfront:CreateInvalidation":          "arn:aws:cloudfront::111122223333:distribution/DISTRIBUTION",
	})
	forbidden := len(questions)
	add(map[string]string{
		"sqs:SendMessage":               sqsOf + "pv-name",
		"dynamodb:GetItem":              "arn:aws:dynamodb:us-east-1:111122223333:table/orders",
		"secretsmanager:GetSecretValue": "arn:aws:secretsmanager:us-east-1:111122223333:secret:staging/database-AbCdEf",
		"s3:GetObject":                  "arn:aws:s3:::uploads/file",
	})
	for i, a := range simulate(t, questions) {
		if a.Error != "" || a.allowed() != (i >= forbidden) {
			t.Errorf("%s: %s %s", questions[i], a.Result, a.Error)
		}
	}
}
