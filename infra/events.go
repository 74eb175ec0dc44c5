package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdadestinations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsschedulertargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/config"
)

const (
	// sweepMinutes is how often the reaper runs: law 8 promises five.
	sweepMinutes = 5
	// streamTries and streamHours bound how long one change that cannot be shown holds
	// up its shard; the next change of the same environment shows it all.
	streamTries = 5
	streamHours = 1
	// eventTriesOfLambda are the repetitions of an event that made a function fail; two
	// is the most (docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
	eventTriesOfLambda = 2
	// eventTries of an event that a function did not take, over the time that a build's
	// execution waits for it.
	eventTries = 8
)

// makeEvents connects what happens to the functions that are told of it.
func (p *previews) makeEvents() error {
	// Unnamed: what is named after the prefix belongs to environments.
	p.dead = awssqs.NewQueue(p.stack, jsii.String("DeadLetters"), &awssqs.QueueProps{
		Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true), RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
	})
	accept(p.dead, "AwsSolutions-SQS3", "This is the dead-letter queue.")
	p.stream()
	p.buildEnds()
	p.schedule()
	p.givenUp("build", eventTriesOfLambda)
	p.givenUp("reap", 0) // the next sweep comes soon
	return nil
}

// stream brings every change of the table to notify.
func (p *previews) stream() {
	notify := p.functions["notify"]
	source := awslambdaeventsources.NewDynamoEventSource(p.table, &awslambdaeventsources.DynamoEventSourceProps{
		StartingPosition: awslambda.StartingPosition_LATEST, BatchSize: jsii.Number(50), ParallelizationFactor: jsii.Number(config.StreamFactor),
		BisectBatchOnError: jsii.Bool(true), RetryAttempts: jsii.Number(streamTries), MaxRecordAge: awscdk.Duration_Hours(jsii.Number(streamHours)),
		OnFailure: awslambdaeventsources.NewSqsDlq(p.dead),
	})
	notify.lambda.AddEventSource(source)
	// The role is fixed against what CDK would add by itself: it may read the stream,
	// and hand on what failed.
	policy := awsiam.NewPolicy(p.stack, jsii.String("NotifySource"), &awsiam.PolicyProps{Roles: &[]awsiam.IRole{notify.role}})
	policy.AddStatements(
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions:   jsii.Strings("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
			Resources: &[]*string{p.table.TableStreamArn()},
		}),
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("dynamodb:ListStreams"), Resources: jsii.Strings("*"),
		}),
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Actions: jsii.Strings("sqs:SendMessage"), Resources: &[]*string{p.dead.QueueArn()},
		}),
	)
	// Lambda looks whether the role may read when the mapping is made.
	for _, child := range *notify.lambda.Node().Children() {
		if mapping, ok := child.(awslambda.EventSourceMapping); ok {
			mapping.Node().AddDependency(policy)
		}
	}
	accept(policy, "AwsSolutions-IAM5", "dynamodb:ListStreams has no resource level on AWS; Lambda asks for it to poll a stream.", "Resource::*")
}

// buildEnds brings the end of each ephemeral build to the function that started it.
func (p *previews) buildEnds() {
	p.buildEnded = awsevents.NewRule(p.stack, jsii.String("BuildEnded"), &awsevents.RuleProps{
		Description: jsii.String("The end of an ephemeral build, whatever it was."),
		EventPattern: &awsevents.EventPattern{
			Source: jsii.Strings("aws.codebuild"), DetailType: jsii.Strings("CodeBuild Build State Change"),
			Detail: &map[string]any{
				"build-status": []string{"SUCCEEDED", "FAILED", "FAULT", "STOPPED", "TIMED_OUT"},
				"project-name": []map[string]string{{"prefix": p.prefix + "-ephemeral-"}},
			},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(p.functions["build"].lambda, &awseventstargets.LambdaFunctionProps{
			DeadLetterQueue: p.dead, RetryAttempts: jsii.Number(eventTries), MaxEventAge: awscdk.Duration_Hours(jsii.Number(1)),
		})},
	})
}

// givenUp keeps the event at which a function failed to the last: the rule and the
// schedule are told that it was taken as soon as Lambda has queued it.
func (p *previews) givenUp(name string, retries float64) {
	f := p.functions[name]
	policy := awsiam.NewPolicy(p.stack, jsii.String(*f.role.Node().Id()+"GivenUp"), &awsiam.PolicyProps{Roles: &[]awsiam.IRole{f.role}})
	policy.AddStatements(allow([]string{"sqs:SendMessage"}, *p.dead.QueueArn()))
	// Lambda looks whether the role may send when it is told where to.
	awslambda.NewEventInvokeConfig(f.lambda, jsii.String("EventInvokeConfig"), &awslambda.EventInvokeConfigProps{
		Function: f.lambda, OnFailure: awslambdadestinations.NewSqsDestination(p.dead),
		RetryAttempts: &retries, MaxEventAge: awscdk.Duration_Hours(jsii.Number(1)),
	}).Node().AddDependency(policy)
}

// schedule invokes the reaper.
func (p *previews) schedule() {
	role := awsiam.NewRole(p.stack, jsii.String("ScheduleRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), nil),
		Description: jsii.String("Of the schedule: it invokes the reaper."),
	})
	target := awsschedulertargets.NewLambdaInvoke(p.functions["reap"].lambda, &awsschedulertargets.ScheduleTargetBaseProps{
		Role: role, DeadLetterQueue: p.dead, Input: awsscheduler.ScheduleTargetInput_FromText(jsii.String("{}")),
		// A sweep that was missed is not made up for: the next one comes soon.
		RetryAttempts: jsii.Number(0), MaxEventAge: awscdk.Duration_Minutes(jsii.Number(sweepMinutes)),
	})
	awsscheduler.NewSchedule(p.stack, jsii.String("Sweeps"), &awsscheduler.ScheduleProps{
		Description: jsii.String(fmt.Sprintf("The reaper, every %d minutes.", sweepMinutes)),
		Schedule:    awsscheduler.ScheduleExpression_Rate(awscdk.Duration_Minutes(jsii.Number(sweepMinutes))), Target: target,
	})
	accept(role, "AwsSolutions-IAM5", "CDK grants every version of the one function, which is its ARN with a colon and a star.")
}
