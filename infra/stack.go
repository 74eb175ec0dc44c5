package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"
)

// previews is the stack that every installation has once: the control plane and the
// edge. The parts fill it in the order of build.
type previews struct {
	settings
	stack awscdk.Stack

	baseline  baseline
	boundary  awsiam.ManagedPolicy // of every role that runs code of a pull request
	logs      awss3.Bucket         // access logs of the buckets and the distribution
	site      awss3.Bucket         // frontends, behind the edge
	artifacts awss3.Bucket         // what builds of frontends leave
	edge      edgeParts
	table     awsdynamodb.Table
	functions map[string]*function // by folder in lambdas/
	machine   awsstepfunctions.StateMachine
	door      door
	dead      awssqs.Queue // letters that no function took

	buildEnded awsevents.Rule
}

// build makes the stacks: one for the suite, one for each service. A service's
// pipelines stand alone, so that no number of services fills a stack, and a service
// that is added changes no other.
func build(app awscdk.App, s settings) error {
	environment := &awscdk.Environment{Account: &s.account, Region: &s.region}
	p := &previews{settings: s, functions: map[string]*function{}}
	p.stack = awscdk.NewStack(app, jsii.String(stackName(s.prefix, "")), &awscdk.StackProps{
		Env: environment, Description: jsii.String("Preview environments: the control plane and the edge."),
		TerminationProtection: jsii.Bool(true),
	})
	for _, part := range []func() error{
		p.makeBoundary, p.makeBuckets, p.makeBaseline, p.makeTable, p.makeEdge, p.publishCatalog,
		p.makeFunctions, p.makeMachine, p.makeDoor, p.makeEvents, p.makeAlarms, p.makeDashboard,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.catalog.Services)) {
		stack := awscdk.NewStack(app, jsii.String(stackName(s.prefix, name)), &awscdk.StackProps{
			Env: environment, Description: jsii.String(fmt.Sprintf("Preview environments: the pipelines of %s.", name)),
		})
		if err := p.makePipelines(stack, name, s.catalog.Services[name]); err != nil {
			return err
		}
	}
	awscdk.Tags_Of(app).Add(jsii.String("ManagedBy"), jsii.String(s.prefix+"-cdk"), nil)
	return nil
}

// backends are the names of the catalog's backends, sorted.
func (s settings) backends() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.catalog.Services)), func(name string) bool {
		return s.catalog.Services[name].Frontend != nil
	})
}

// arn is that of a resource of this account and region.
func (s settings) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, s.region, s.account, resource)
}

// stackName has capitals, so that no name that CloudFormation makes of it starts as
// an environment's resources do: what starts so, the reaper may remove.
func stackName(prefix, service string) string {
	name := "PreviewEnvironments-" + prefix
	if service != "" {
		name += "-" + service
	}
	return name
}
