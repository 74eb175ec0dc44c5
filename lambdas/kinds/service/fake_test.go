package service

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
)

// cluster keeps one service whose task crashed, as ECS would show it; moto knows
// neither stopped tasks of a service nor the circuit breaker.
type cluster struct {
	api
	service types.Service
	hash    string
	tasks   map[types.DesiredStatus][]types.Task
	targets []elbtypes.TargetHealthDescription
}

func (c *cluster) DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error) {
	return &ecs.DescribeServicesOutput{Services: []types.Service{c.service}}, nil
}

func (c *cluster) DescribeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput, _ ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error) {
	return &ecs.DescribeTaskDefinitionOutput{
		TaskDefinition: &types.TaskDefinition{TaskDefinitionArn: in.TaskDefinition},
		Tags:           []types.Tag{{Key: aws.String(hashTag), Value: &c.hash}},
	}, nil
}

func (c *cluster) ListTasks(_ context.Context, in *ecs.ListTasksInput, _ ...func(*ecs.Options)) (*ecs.ListTasksOutput, error) {
	out := &ecs.ListTasksOutput{}
	for _, task := range c.tasks[in.DesiredStatus] {
		out.TaskArns = append(out.TaskArns, *task.TaskArn)
	}
	return out, nil
}

func (c *cluster) DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error) {
	return &ecs.DescribeTasksOutput{Tasks: append(c.tasks[types.DesiredStatusStopped], c.tasks[types.DesiredStatusRunning]...)}, nil
}

func (c *cluster) DescribeTargetGroups(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error) {
	return &elb.DescribeTargetGroupsOutput{TargetGroups: []elbtypes.TargetGroup{{
		HealthCheckProtocol: elbtypes.ProtocolEnumHttp, HealthCheckPath: aws.String("/health"), HealthCheckPort: aws.String("9000"),
		Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")},
	}}}, nil
}

func (c *cluster) DescribeTargetHealth(context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error) {
	return &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: c.targets}, nil
}

func (c *cluster) GetLogEvents(_ context.Context, in *cloudwatchlogs.GetLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error) {
	return &cloudwatchlogs.GetLogEventsOutput{Events: nil}, nil
}

// kind is one whose wanted content the cluster runs, two minutes after it began.
func (c *cluster) kind(t *testing.T, row kind.Resource) *Kind {
	t.Helper()
	k := New(c, c, c, guard.Guard{Prefix: "pe", BaseDomain: "preview.example.com"})
	k.Now = func() time.Time { return began.Add(2 * time.Minute) }
	spec, err := k.read(row)
	if err != nil {
		t.Fatal(err)
	}
	if spec, err = k.resolve(row, spec); err != nil {
		t.Fatal(err)
	}
	if c.hash, err = contentHash(spec.TaskDefinition); err != nil {
		t.Fatal(err)
	}
	return k
}

// drained is a cluster whose families have no revision and take none.
type drained struct{ cluster }

func (*drained) ListTaskDefinitions(context.Context, *ecs.ListTaskDefinitionsInput, ...func(*ecs.Options)) (*ecs.ListTaskDefinitionsOutput, error) {
	return &ecs.ListTaskDefinitionsOutput{}, nil
}

func (*drained) RegisterTaskDefinition(context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error) {
	return nil, &types.ServerException{}
}
