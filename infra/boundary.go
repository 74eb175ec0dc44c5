package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// makeBoundary makes the permissions boundary of every role that runs the code of a
// pull request: those of the ephemeral builds, and those of previews, to which the
// platform team attaches it. It grants nothing. It denies what such code must never
// do, whatever its role is given by mistake: become somebody else, reach GitHub, touch
// what previews are made by, or deploy: who may change services, rules, security groups
// or distributions can reach the baseline. What a service of the baseline does besides,
// its preview may do as well.
func (p *previews) makeBoundary() error {
	p.boundary = awsiam.NewManagedPolicy(p.stack, jsii.String("Boundary"), &awsiam.ManagedPolicyProps{
		ManagedPolicyName: jsii.String(p.boundaryName()),
		Description:       jsii.String("The most that code of a pull request may ever do. It grants nothing."),
		Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid: jsii.String("WhatTheRoleItselfGrants"), Actions: jsii.Strings("*"), Resources: jsii.Strings("*"),
			}),
			never("NobodyElse", []string{
				"iam:*", "organizations:*", "account:*", "codeconnections:*", "codestar-connections:*", "cloudfront-keyvaluestore:*",
			}, "*"),
			// The CDK's roles trust the whole account; they could make everything here anew.
			never("NoneOfOurRoles", []string{"sts:AssumeRole*"}, p.role("cdk-*"), p.role(stackName(p.prefix, "")+"-*")),
			never("NoneOfOurs", []string{"*"}, p.untouchable()...),
			never("NoDeployment", []string{
				"ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService", "ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition",
				"elasticloadbalancing:Create*", "elasticloadbalancing:Modify*", "elasticloadbalancing:Delete*", "elasticloadbalancing:Set*",
				"elasticloadbalancing:Register*", "elasticloadbalancing:Deregister*", "elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags",
				"ec2:*SecurityGroup*", "cloudfront:*",
			}, "*"),
		},
	})
	accept(p.boundary, "AwsSolutions-IAM5", "A permissions boundary grants nothing: its one broad statement is what the denials below it are taken from.")
	p.output("Boundary", p.boundary.ManagedPolicyArn(), "Attach it to the roles of previews (previewTaskRole, previewExecutionRole), never to one of the baseline.")
	return nil
}

func never(sid string, actions []string, resources ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: &sid, Effect: awsiam.Effect_DENY, Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...),
	})
}

func (s settings) role(name string) string { return "arn:aws:iam::" + s.account + ":role/" + name }

// managedBy is the tag of everything that the CDK makes here.
func (s settings) managedBy() string { return s.prefix + "-cdk" }

// untouchable are the resources by which previews are made, and the previews' own
// parts that no task has to change. The queues of an environment are not among them,
// nor is what a build reads, writes and pushes.
func (p *previews) untouchable() []string {
	ours, stack := p.prefix+"-*", stackName(p.prefix, "")
	return []string{
		p.arn("lambda", "function:"+ours), p.arn("states", "*:"+ours),
		p.arn("codebuild", "project/"+ours), p.arn("codepipeline", ours), p.arn("cloudformation", "stack/"+stack+"*"),
		p.arn("dynamodb", "table/"+stack+"-*"), p.arn("ssm", "parameter"+p.catalogPath()+"/*"), p.arn("secretsmanager", "secret:"+p.prefix+"/*"),
		p.arn("events", "rule/"+stack+"-*"), p.arn("scheduler", "schedule/*/"+stack+"-*"), p.arn("sqs", stack+"-*"),
		p.arn("ecs", "service/*/"+ours), p.arn("ecs", "task-definition/"+ours), p.arn("ecr", "repository/"+p.prefix+"-main/*"),
		p.arn("logs", "log-group:/aws/lambda/"+ours), "arn:aws:route53:::hostedzone/" + p.catalog.Installation.HostedZone.ID,
		*p.site.BucketArn(), *p.site.ArnForObjects(jsii.String("*")), *p.logs.BucketArn(), *p.logs.ArnForObjects(jsii.String("*")),
		// CodePipeline's objects begin as the pipeline is called.
		*p.artifacts.ArnForObjects(jsii.String("builds/*")), *p.artifacts.ArnForObjects(&ours),
	}
}
