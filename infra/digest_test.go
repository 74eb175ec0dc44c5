package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// telling are the properties that a reviewer wants to see of a resource.
var telling = map[string][][]string{
	"AWS::Lambda::Function":            {{"FunctionName"}, {"MemorySize"}, {"Timeout"}},
	"AWS::DynamoDB::Table":             {{"BillingMode"}, {"StreamSpecification", "StreamViewType"}},
	"AWS::S3::Bucket":                  {{"BucketName"}},
	"AWS::CodeBuild::Project":          {{"Name"}, {"Source", "BuildSpec"}, {"Environment", "Image"}},
	"AWS::CodePipeline::Pipeline":      {{"Name"}, {"PipelineType"}},
	"AWS::ECR::Repository":             {{"RepositoryName"}, {"ImageTagMutability"}},
	"AWS::CloudFront::Distribution":    {{"DistributionConfig", "Aliases"}, {"DistributionConfig", "HttpVersion"}},
	"AWS::CloudFront::VpcOrigin":       {{"VpcOriginEndpointConfig", "Arn"}, {"VpcOriginEndpointConfig", "OriginProtocolPolicy"}},
	"AWS::CloudWatch::Alarm":           {{"AlarmName"}, {"Threshold"}, {"TreatMissingData"}},
	"AWS::Events::Rule":                {{"EventPattern", "source"}},
	"AWS::Scheduler::Schedule":         {{"ScheduleExpression"}},
	"AWS::ApiGatewayV2::Route":         {{"RouteKey"}},
	"AWS::SSM::Parameter":              {{"Name"}, {"Tier"}},
	"AWS::StepFunctions::StateMachine": {{"StateMachineName"}},
	"AWS::Route53::RecordSet":          {{"Name"}, {"Type"}},
	"AWS::Logs::LogGroup":              {{"LogGroupName"}, {"RetentionInDays"}},
}

// hash is what CDK puts behind its names.
var hash = regexp.MustCompile(`[0-9A-F]{8}(\b|>|\.)`)

func clean(s string) string { return hash.ReplaceAllString(s, "$1") }

func TestTheTemplatesAreWhatWasReviewed(t *testing.T) {
	var lines []string
	for _, stack := range []string{"PreviewEnvironments-pv", "PreviewEnvironments-pv-service1", "PreviewEnvironments-pv-web"} {
		found := stackOf(t, stack)
		for id, r := range found.Resources {
			line := fmt.Sprintf("%s resource %s %s", stack, r.Type, clean(id))
			for _, path := range telling[r.Type] {
				if v := text(r.at(path...)); v != "" {
					line += fmt.Sprintf(" %s=%s", strings.Join(path[len(path)-1:], "."), clean(v))
				}
			}
			lines = append(lines, line)
		}
		for _, p := range found.permissions() {
			effect := "may"
			if !p.allow {
				effect = "may never"
			}
			for _, action := range p.actions {
				for _, on := range p.resources {
					lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s on %s %s", stack, clean(p.role), effect, action, clean(on), p.conditions)))
				}
			}
		}
	}
	slices.Sort(lines)
	golden(t, "template.golden", slices.Compact(lines))
}
