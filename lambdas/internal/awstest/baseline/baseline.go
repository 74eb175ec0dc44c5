// Package baseline seeds the emulator with what an environment stands beside: a
// load balancer with a listener, a cluster, and one shared service behind them.
// It is apart from awstest so that other kinds' tests need not compile its clients.
package baseline

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/awstest"
)

// Names of what is seeded.
const (
	Cluster   = "staging"
	Service   = "service1"
	Container = "app"
	Host      = "staging.example.com"
)

// Balancer is a load balancer with one listener, and the shared service's rule.
type Balancer struct {
	Network
	LoadBalancer string
	Listener     string
	TargetGroup  elbtypes.TargetGroup
}

// Shared is the shared service on its cluster.
type Shared struct {
	Balancer
	Service        ecstypes.Service
	TaskDefinition ecstypes.TaskDefinition
}

// SeedBalancer makes a load balancer whose listener forwards the shared host's
// /service1 to the shared target group, and answers anything else with 404.
func SeedBalancer(t testing.TB, cfg aws.Config) Balancer {
	t.Helper()
	client := elb.NewFromConfig(awstest.Quiet(cfg))
	b := Balancer{Network: SeedNetwork(t, cfg)}
	balancers, err := client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("staging"), Subnets: b.Subnets, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.LoadBalancer = *balancers.LoadBalancers[0].LoadBalancerArn
	listeners, err := client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &b.LoadBalancer, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{
			Type:                elbtypes.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Listener = *listeners.Listeners[0].ListenerArn
	b.TargetGroup = b.AddTargetGroup(t, cfg, Service)
	b.AddRule(t, cfg, 10, Host, []string{"/service1", "/service1/*"}, *b.TargetGroup.TargetGroupArn)
	return b
}

// AddTargetGroup makes a target group that is health-checked as a baseline's is.
func (n Network) AddTargetGroup(t testing.TB, cfg aws.Config, name string) elbtypes.TargetGroup {
	t.Helper()
	made, err := elb.NewFromConfig(awstest.Quiet(cfg)).CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &n.VPC,
		TargetType:          elbtypes.TargetTypeEnumIp,
		HealthCheckProtocol: elbtypes.ProtocolEnumHttp, HealthCheckPath: aws.String("/service1/health"),
		HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckTimeoutSeconds: aws.Int32(6),
		HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(3),
		Matcher: &elbtypes.Matcher{HttpCode: aws.String("200-299")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return made.TargetGroups[0]
}

// AddRule makes a listener rule and returns its ARN.
func (b Balancer) AddRule(t testing.TB, cfg aws.Config, priority int32, host string, paths []string, targetGroup string) string {
	t.Helper()
	made, err := elb.NewFromConfig(awstest.Quiet(cfg)).CreateRule(t.Context(), &elb.CreateRuleInput{
		ListenerArn: &b.Listener, Priority: &priority,
		Conditions: []elbtypes.RuleCondition{
			{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{host}}},
			{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: paths}},
		},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &targetGroup}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *made.Rules[0].RuleArn
}

// SeedShared makes the shared service with its task definition.
func SeedShared(t testing.TB, cfg aws.Config) Shared {
	t.Helper()
	s := Shared{Balancer: SeedBalancer(t, cfg)}
	client := ecs.NewFromConfig(awstest.Quiet(cfg))
	if _, err := client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(Cluster)}); err != nil {
		t.Fatal(err)
	}
	registered, err := client.RegisterTaskDefinition(t.Context(), taskDefinition())
	if err != nil {
		t.Fatal(err)
	}
	s.TaskDefinition = *registered.TaskDefinition
	made, err := client.CreateService(t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String(Cluster), ServiceName: aws.String(Service), DesiredCount: aws.Int32(2),
		TaskDefinition: s.TaskDefinition.TaskDefinitionArn, LaunchType: ecstypes.LaunchTypeFargate,
		LoadBalancers: []ecstypes.LoadBalancer{{
			ContainerName: aws.String(Container), ContainerPort: aws.Int32(8080), TargetGroupArn: s.TargetGroup.TargetGroupArn,
		}},
		NetworkConfiguration: &ecstypes.NetworkConfiguration{
			AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: s.Subnets, SecurityGroups: s.SecurityGroups},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Service = *made.Service
	return s
}

func taskDefinition() *ecs.RegisterTaskDefinitionInput {
	role := "arn:aws:iam::" + awstest.Account + ":role/staging-"
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(Service), NetworkMode: ecstypes.NetworkModeAwsvpc,
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		Cpu:                     aws.String("256"), Memory: aws.String("512"),
		TaskRoleArn: aws.String(role + "task"), ExecutionRoleArn: aws.String(role + "execution"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String(Container), Image: aws.String("registry.example.com/service1:live"), Essential: aws.Bool(true), Memory: aws.Int32(512),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
			Environment:  []ecstypes.KeyValuePair{{Name: aws.String("LOG_LEVEL"), Value: aws.String("info")}},
			Secrets: []ecstypes.Secret{{
				Name: aws.String("DATABASE_URL"), ValueFrom: aws.String("arn:aws:ssm:us-east-1:" + awstest.Account + ":parameter/db"),
			}},
			LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/staging/service1", "awslogs-region": awstest.Region, "awslogs-stream-prefix": "service1",
			}},
		}},
	}
}
