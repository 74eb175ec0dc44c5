package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// previews is the stack that every installation has once: the control plane and the
// edge. The parts fill it in the order of makeStacks.
type previews struct {
	settings
	stack awscdk.Stack

	baseline  baseline
	boundary  awsiam.ManagedPolicy // of every role that runs code of a pull request
	logs      awss3.Bucket         // access logs of the buckets and the distribution
	site      awss3.Bucket         // frontends, behind the edge
	artifacts awss3.Bucket         // what builds of frontends leave
	sources   awss3.Bucket         // what ephemeral builds read
	edge      edgeParts
	table     awsdynamodb.Table
	functions map[string]*function // by folder in lambdas/
	machine   awsstepfunctions.StateMachine
	door      door
	dead      awssqs.Queue // letters that no function took

	buildEnded awsevents.Rule
}

// function is one Lambda function with the role that nothing else has.
type function struct {
	lambda   awslambda.Function
	role     awsiam.Role
	log      awslogs.LogGroup
	policies []constructs.IConstruct // of the role
}

// after lets a function wait for one more policy of its role.
func (f *function) after(policy constructs.IConstruct) {
	f.policies = append(f.policies, policy)
	afterPolicies(f.lambda, f.policies...)
}

// edgeParts are what stands before every environment.
type edgeParts struct {
	distribution awscloudfront.Distribution
	store        awscloudfront.KeyValueStore
}

// door is where Slack knocks.
type door struct {
	api awsapigatewayv2.HttpApi
	log awslogs.LogGroup
}

// baseline is what every environment stands beside: named by the catalog, or made
// by the sample.
type baseline struct {
	cluster     string // name
	listener    string // ARN
	balancer    elb.IApplicationLoadBalancer
	host        string // that its certificate covers
	zone        awsroute53.IHostedZone
	certificate string // ARN, in us-east-1
}

func (p *previews) output(id string, value *string, what string) {
	awscdk.NewCfnOutput(p.stack, jsii.String(id+"Output"), &awscdk.CfnOutputProps{Key: jsii.String(id), Value: value, Description: &what})
}
