package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/config"
)

// alarm is one thing that somebody has to look at. Its name is a heading of the
// runbook in the README.
type alarm struct {
	name    string
	means   string // what has happened, in one sentence
	metric  awscloudwatch.IMetric
	above   float64
	periods float64 // that have to be above; 0 is 1
	below   bool    // alarms at less than above instead
	silence bool    // no data is as bad
}

// makeAlarms watches over what nobody looks at. A provision that failed is told to
// whoever asked, and alarms nobody: commits that do not work are what previews are
// for.
func (p *previews) makeAlarms() error {
	topic := p.alarmTopic()
	for _, a := range p.alarms() {
		made := awscloudwatch.NewAlarm(p.stack, jsii.String("Alarm"+a.name), a.props(p.prefix))
		made.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic))
		made.AddOkAction(awscloudwatchactions.NewSnsAction(topic))
	}
	return nil
}

// alarmTopic is the catalog's topic, or one of the stack's own, whose ARN is an output:
// an alarm that tells nobody is none.
func (p *previews) alarmTopic() awssns.ITopic {
	arn := p.catalog.Installation.AlarmTopic
	if arn != "" {
		return awssns.Topic_FromTopicArn(p.stack, jsii.String("AlarmTopic"), &arn)
	}
	topic := awssns.NewTopic(p.stack, jsii.String("Alarms"), &awssns.TopicProps{
		DisplayName: jsii.String("Preview environments (" + p.prefix + ")"), EnforceSSL: jsii.Bool(true),
	})
	// A topic with a policy of its own has lost the right that AWS gives its account.
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("OurAlarms"), Actions: jsii.Strings("sns:Publish"), Resources: &[]*string{topic.TopicArn()},
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Conditions: &map[string]any{
			"StringEquals": map[string]string{"aws:SourceAccount": p.account},
			"ArnLike":      map[string]string{"aws:SourceArn": p.arn("cloudwatch", "alarm:"+p.prefix+"-*")},
		},
	}))
	p.output("AlarmTopic", topic.TopicArn(), "Subscribe to it: it gets every alarm.")
	return topic
}

func (a alarm) props(prefix string) *awscloudwatch.AlarmProps {
	props := &awscloudwatch.AlarmProps{
		AlarmName:        jsii.String(prefix + "-" + a.name),
		AlarmDescription: jsii.String(fmt.Sprintf("%s Runbook: README, %s.", a.means, a.name)),
		Metric:           a.metric, Threshold: jsii.Number(a.above), EvaluationPeriods: jsii.Number(max(1, a.periods)),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	}
	if a.below {
		props.ComparisonOperator = awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD
	}
	if a.silence {
		props.TreatMissingData = awscloudwatch.TreatMissingData_BREACHING
	}
	return props
}

func (p *previews) alarms() []alarm {
	return []alarm{
		{name: "LeftBehind", means: "A removal gave something up; the reaper tries it again every five minutes.", metric: p.metric(config.MetricLeftBehind, "Sum", 5)},
		{name: "Leak", means: "A resource had no environment; the reaper's log names it and the path that leaked it.", metric: p.metric(config.MetricLeaks, "Sum", 5)},
		{name: "NotReaped", means: "The reaper could not remove something twice in a row.", metric: p.metric(config.MetricLeft, "Maximum", 5), periods: 2},
		{name: "SilentReaper", means: "No sweep of the reaper has looked at everything for 15 minutes.", metric: p.metric(config.MetricSweeps, "Sum", 15), above: 1, below: true, silence: true},
		{name: "HeldReaper", means: "The reaper found more without a record than it removes unasked, and removed none of it; its log says what to do.", metric: p.metric(config.MetricHeld, "Sum", 5)},
		{name: "StoppedExecutions", means: "Executions timed out or were stopped; the reaper ends what they held.", metric: p.stopped()},
		{name: "FailedExecutions", means: "More than ten provisions failed within an hour: commits are seldom all broken at once.", metric: p.machine.MetricFailed(stat("Sum", 60)), above: 10},
		{name: "BuildFailures", means: "More than ten builds failed within an hour: look at the build image, the registry and the GitHub token.", metric: accountMetric("AWS/CodeBuild", "FailedBuilds", 60), above: 10},
		{name: "BuildEventsLost", means: "EventBridge could not tell the build function that a build ended.", metric: p.lostEvents()},
		{name: "StreamLate", means: "Status messages in Slack are more than a minute behind the table.", metric: p.functions["notify"].lambda.Metric(jsii.String("IteratorAge"), stat("Maximum", 5)), above: 60_000, periods: 2},
		{name: "SlackRefuses", means: "Slack does not take the app's token or its messages, so that no status is shown anywhere.", metric: p.metric(config.MetricRefused, "Sum", 5)},
		{name: "DeadLetters", means: "An event was given up: a status message, a sweep, or the end of a build.", metric: p.dead.MetricApproximateNumberOfMessagesVisible(stat("Maximum", 5))},
		{name: "DoorFails", means: "Slack gets errors from the door.", metric: p.door.api.MetricServerError(stat("Sum", 5)), above: 1},
		{name: "DoorSlow", means: "The door takes nearly the 3 s after which Slack hangs up.", metric: p.door.api.MetricLatency(stat("p99", 5)), above: 2500, periods: 2},
		{name: "FunctionErrors", means: "A function failed that has nothing to wait for.", metric: p.errors(), above: 5},
		{name: "Throttled", means: "Lambda refuses invocations: the account has no concurrency left.", metric: accountMetric("AWS/Lambda", "Throttles", 5), above: 5},
	}
}

// accountMetric is one of the whole account.
func accountMetric(namespace, name string, minutes float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: &namespace, MetricName: &name, Statistic: jsii.String("Sum"), Period: awscdk.Duration_Minutes(&minutes),
	})
}

func stat(statistic string, minutes float64) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: &statistic, Period: awscdk.Duration_Minutes(&minutes)}
}

// metric is one that the suite itself reports.
func (p *previews) metric(name, statistic string, minutes float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String(config.MetricNamespace), MetricName: &name, Statistic: &statistic, Period: awscdk.Duration_Minutes(&minutes),
	})
}

// errors are those of the functions that never end in one to say that something is
// awaited. An alarm takes ten metrics.
func (p *previews) errors() awscloudwatch.IMetric {
	names := []string{"cleanup", "hold", "notify", "plan", "reap", "slack"}
	using := map[string]awscloudwatch.IMetric{}
	for _, name := range names {
		using[name] = p.functions[name].lambda.MetricErrors(stat("Sum", 5))
	}
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(sum(names...)), UsingMetrics: &using, Label: jsii.String("errors"), Period: awscdk.Duration_Minutes(jsii.Number(5)),
	})
}

// sum is metric math over what is reported only when something happens: a plain sum
// has no point where one of them has none.
func sum(names ...string) string {
	filled := make([]string, len(names))
	for i, name := range names {
		filled[i] = "FILL(" + name + ",0)"
	}
	return strings.Join(filled, "+")
}

// stopped are executions that timed out or were stopped: those that failed in a
// named way have told whoever asked.
func (p *previews) stopped() awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(sum("timedOut", "aborted")), Label: jsii.String("executions that did not end by themselves"),
		UsingMetrics: &map[string]awscloudwatch.IMetric{
			"timedOut": p.machine.MetricTimedOut(stat("Sum", 5)), "aborted": p.machine.MetricAborted(stat("Sum", 5)),
		},
		Period: awscdk.Duration_Minutes(jsii.Number(5)),
	})
}

// lostEvents are ends of builds that did not reach their function.
func (p *previews) lostEvents() awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/Events"), MetricName: jsii.String("FailedInvocations"), Statistic: jsii.String("Sum"),
		DimensionsMap: &map[string]*string{"RuleName": p.buildEnded.RuleName()}, Period: awscdk.Duration_Minutes(jsii.Number(5)),
	})
}
