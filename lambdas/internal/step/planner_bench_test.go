package step

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
)

// draftOf is a checked draft of n services, as Draft leaves it.
func draftOf(n int) *Draft {
	d := &Draft{
		URL: "https://pr1.preview.example.com",
		settings: &catalog.Settings{
			BaseDomain: "preview.example.com",
			Baseline: catalog.Baseline{
				Host: "staging.example.com", Cluster: "staging", Listeners: []string{"arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/a/b/c"},
				Priorities: catalog.Priorities{Overrides: [2]int{1000, 39999}, Fallbacks: [2]int{40000, 49999}},
			},
		},
		wanted:   request.Wanted{Label: "pr1", PullRequest: 1, Repository: "acme/shop", Commit: "0123456789abcdef0123456789abcdef01234567"},
		services: map[string]catalog.Service{}, backends: map[string]baseline.Backend{}, queues: map[string]map[string]string{},
	}
	for i := range n {
		name := fmt.Sprintf("service%d", i+1)
		d.wanted.Services = append(d.wanted.Services, name)
		d.services[name] = catalog.Service{
			Repository: "shop", ECSService: name, Paths: []string{"/" + name, "/" + name + "/*"},
			Calls: map[string]string{"NEXT_HOST": fmt.Sprintf("service%d", (i+1)%n+1)},
		}
		d.backends[name] = backendOf(name)
	}
	return d
}

func backendOf(name string) baseline.Backend {
	return baseline.Backend{
		Service: ecstypes.Service{
			ServiceName: &name, LaunchType: ecstypes.LaunchTypeFargate,
			LoadBalancers: []ecstypes.LoadBalancer{{ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080), TargetGroupArn: aws.String("arn")}},
			NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{
				Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"},
			}},
		},
		Definition: ecstypes.TaskDefinition{
			Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
			ContainerDefinitions: []ecstypes.ContainerDefinition{{
				Name: aws.String("app"), Image: aws.String("staging/" + name + ":abc"),
				Environment: []ecstypes.KeyValuePair{
					{Name: aws.String("NEXT_HOST"), Value: aws.String("https://staging.example.com")},
					{Name: aws.String("LOG_LEVEL"), Value: aws.String("info")},
				},
				PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
			}},
		},
		TargetGroup: elbtypes.TargetGroup{
			TargetGroupArn: aws.String("arn"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: aws.String("vpc-1"),
			TargetType: elbtypes.TargetTypeEnumIp, HealthCheckProtocol: elbtypes.ProtocolEnumHttp, HealthCheckPort: aws.String("traffic-port"),
			HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckTimeoutSeconds: aws.Int32(5),
			HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(2), Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")},
		},
	}
}

func plannerOf() *Planner {
	return &Planner{Config: config.Plan{
		Names:    config.Names{Prefix: "pv", PreviewURL: "https://{label}.preview.example.com"},
		Registry: "123456789012.dkr.ecr.us-east-1.amazonaws.com/pv", Artifacts: "artifacts", Site: "site",
		Distribution: "E1", KeyValueStore: "arn:aws:cloudfront::123456789012:key-value-store/x",
	}}
}

// BenchmarkPlanOfTwentyServices measures what the plan function does itself: the
// rows of 20 cloned backends, without the AWS calls before and after.
//
//	go test -run '^$' -bench Plan ./lambdas/internal/step
func BenchmarkPlanOfTwentyServices(b *testing.B) {
	p, d := plannerOf(), draftOf(20)
	env := record.Environment{Name: "pr1", Revision: 1, Incarnation: 1}
	b.ReportAllocs()
	for b.Loop() {
		rows, err := p.rows(env, d)
		if err != nil || len(rows) != 61 {
			b.Fatalf("%d rows, %v", len(rows), err)
		}
	}
}
