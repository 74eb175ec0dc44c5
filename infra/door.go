package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// The door's limits: a workspace of hundreds types a few commands a minute, and a
// stranger's flood should cost next to nothing.
const (
	doorRate  = 10 // requests a second
	doorBurst = 20
)

// slackPaths are what Slack posts to.
var slackPaths = []string{"/slack/commands", "/slack/interactions"}

// makeDoor makes an HTTP API with the two paths that Slack posts to. Whoever posts
// is known by the signature over the raw body, which the function checks first.
func (p *previews) makeDoor() error {
	p.door.log = awslogs.NewLogGroup(p.stack, jsii.String("DoorLog"), &awslogs.LogGroupProps{
		Retention: awslogs.RetentionDays_ONE_MONTH, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	p.door.api = awsapigatewayv2.NewHttpApi(p.stack, jsii.String("Door"), &awsapigatewayv2.HttpApiProps{
		ApiName: jsii.String(p.prefix + "-door"), Description: jsii.String("Slack's commands, forms and buttons."),
		CreateDefaultStage: jsii.Bool(false),
	})
	stage := awsapigatewayv2.NewHttpStage(p.stack, jsii.String("DoorStage"), &awsapigatewayv2.HttpStageProps{
		HttpApi: p.door.api, AutoDeploy: jsii.Bool(true), DetailedMetricsEnabled: jsii.Bool(true),
		Throttle: &awsapigatewayv2.ThrottleSettings{RateLimit: jsii.Number(doorRate), BurstLimit: jsii.Number(doorBurst)},
	})
	// The library's own setting is an interface that Go cannot fill in. No line has a
	// header or a body: those hold what was typed, and what signs it.
	stage.Node().DefaultChild().(awsapigatewayv2.CfnStage).SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: p.door.log.LogGroupArn(),
		Format: jsii.String(`{"requestId":"$context.requestId","time":"$context.requestTime","path":"$context.path",` +
			`"status":"$context.status","latency":"$context.responseLatency","ip":"$context.identity.sourceIp","error":"$context.error.message"}`),
	})
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("Slack"), p.functions["slack"].lambda,
		&awsapigatewayv2integrations.HttpLambdaIntegrationProps{PayloadFormatVersion: awsapigatewayv2.PayloadFormatVersion_VERSION_2_0()})
	for i, path := range slackPaths {
		routes := p.door.api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
			Path: jsii.String(path), Methods: &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod_POST}, Integration: integration,
		})
		accept((*routes)[0], "AwsSolutions-APIG4", "Slack signs each request over its raw body; the function refuses what is not signed, older than five minutes, or seen before.")
		p.output([]string{"SlackCommands", "SlackInteractions"}[i], jsii.String(*p.door.api.ApiEndpoint()+path), "A URL of the Slack app.")
	}
	return nil
}
