package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/config"
)

// makeDashboard shows how many environments there are, how long they take, what
// fails, and what there is to pay for.
func (p *previews) makeDashboard() error {
	board := awscloudwatch.NewDashboard(p.stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName:   jsii.String(p.prefix + "-previews"),
		DefaultInterval: awscdk.Duration_Days(jsii.Number(7)),
	})
	board.AddWidgets(awscloudwatch.NewTextWidget(&awscloudwatch.TextWidgetProps{
		Width: jsii.Number(24), Height: jsii.Number(2),
		Markdown: jsii.String(fmt.Sprintf("# Preview environments (%s)\nEach lives at `https://<label>.%s`. Executions: [%s](https://%s.console.aws.amazon.com/states/home?region=%s#/statemachines/view/%s). Alarms and what to do: the README's runbook.",
			p.prefix, p.catalog.BaseDomain, p.machineName(), p.region, p.region, p.arn("states", "stateMachine:"+p.machineName()))),
	}))
	board.AddWidgets(
		graph("Environments that live", p.metric(config.MetricEnvironments, "Maximum", 5)),
		graph("Seconds from asked for to ready", p.metric(config.MetricReady, "p50", 60), p.metric(config.MetricReady, "p99", 60)),
		graph("Door: milliseconds until Slack is answered", p.door.api.MetricLatency(stat("p50", 60)), p.door.api.MetricLatency(stat("p99", 60))),
	)
	board.AddWidgets(
		graph("Executions", p.machine.MetricStarted(stat("Sum", 60)), p.machine.MetricFailed(stat("Sum", 60)), p.machine.MetricTimedOut(stat("Sum", 60))),
		graph("Builds", accountMetric("AWS/CodeBuild", "Builds", 60), accountMetric("AWS/CodeBuild", "FailedBuilds", 60)),
		graph("Taken over, leaks, left; functions that fail", p.metric(config.MetricEnded, "Sum", 60), p.metric(config.MetricLeaks, "Sum", 60), p.metric(config.MetricLeft, "Maximum", 60), p.errors()),
	)
	// A task of an environment is paid by the hour; the rest is paid by use.
	board.AddWidgets(
		graph("Cost: environments by the hour", p.metric(config.MetricEnvironments, "Average", 60)),
		graph("Cost: seconds of builds", accountMetric("AWS/CodeBuild", "Duration", 60)),
		graph("Status messages: milliseconds late", p.functions["notify"].lambda.Metric(jsii.String("IteratorAge"), stat("Maximum", 5))),
	)
	return nil
}

func graph(title string, metrics ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: &title, Left: &metrics, Width: jsii.Number(8), Height: jsii.Number(6),
	})
}
