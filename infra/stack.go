package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// makeStacks makes the stacks: one for the suite, one for each service. A service's
// pipelines stand alone, so that no number of services fills a stack, and a service
// that is added changes no other.
func makeStacks(app awscdk.App, s settings) error {
	if s.sample {
		s.presetZones(app)
	}
	environment := &awscdk.Environment{Account: &s.account, Region: &s.region}
	p := &previews{settings: s, functions: map[string]*function{}}
	p.stack = awscdk.NewStack(app, jsii.String(stackName(s.prefix, "")), &awscdk.StackProps{
		Env: environment, Description: jsii.String("Preview environments: the control plane and the edge."),
		// Not before the first deployment has succeeded: one that failed has to be deleted
		// before the next, and the CLI protects a stack before it makes anything.
		TerminationProtection: &s.protect,
	})
	for _, part := range []func() error{
		p.makeBuckets, p.makeSources, p.makeBoundary, p.makeBaseline, p.makeTable, p.makeEdge, p.publishCatalog,
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
		p.makePipelines(stack, name, s.catalog.Services[name])
	}
	awscdk.Tags_Of(app).Add(jsii.String("ManagedBy"), jsii.String(s.managedBy()), nil)
	return nil
}
