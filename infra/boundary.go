package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// makeBoundary makes the permissions boundary of every role that runs the code of a
// pull request: those of the ephemeral builds, and those of the tasks, to which the
// platform team attaches it. It grants nothing. Whatever such a role is given by
// mistake, it can neither reach the control plane nor become somebody else.
func (p *previews) makeBoundary() error {
	p.boundary = awsiam.NewManagedPolicy(p.stack, jsii.String("Boundary"), &awsiam.ManagedPolicyProps{
		ManagedPolicyName: jsii.String(p.boundaryName()),
		Description:       jsii.String("The most that code of a pull request may ever do. It grants nothing."),
		Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid: jsii.String("WhatTheRoleItselfGrants"), Actions: jsii.Strings("*"), Resources: jsii.Strings("*"),
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid: jsii.String("NobodyElse"), Effect: awsiam.Effect_DENY, Resources: jsii.Strings("*"),
				Actions: jsii.Strings("iam:*", "sts:AssumeRole*", "organizations:*", "account:*"),
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid: jsii.String("NoControlPlane"), Effect: awsiam.Effect_DENY, Resources: jsii.Strings("*"),
				Actions: jsii.Strings("elasticloadbalancing:*", "ecs:*", "states:*", "lambda:*", "cloudformation:*", "codepipeline:*",
					"codebuild:StartBuild*", "codebuild:*Project*", "cloudfront:*", "cloudfront-keyvaluestore:*", "events:*", "scheduler:*",
					"route53:*", "acm:*", "ec2:*"),
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				// Images are not here: a task role is the baseline's too, which runs what was merged.
				Sid: jsii.String("NoneOfOurs"), Effect: awsiam.Effect_DENY,
				Actions: jsii.Strings("dynamodb:*", "ssm:*", "secretsmanager:*", "s3:*"),
				Resources: jsii.Strings(
					p.arn("dynamodb", "table/"+stackName(p.prefix, "")+"-*"), p.arn("ssm", "parameter"+p.catalogPath()+"/*"),
					p.arn("secretsmanager", "secret:"+p.prefix+"/*"), "arn:aws:s3:::"+p.bucketName("site")+"*",
				),
			}),
		},
	})
	accept(p.boundary, "AwsSolutions-IAM5", "A permissions boundary grants nothing: its one broad statement is what the denials below it are taken from.")
	p.output("Boundary", p.boundary.ManagedPolicyArn(), "Attach it to every role that previews run with.")
	return nil
}
