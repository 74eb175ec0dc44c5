package doctor

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"previewenv/lambdas/catalog"
)

// damage is one thing that is wrong with a baseline; what it returns makes it right
// again.
type damage struct {
	name string
	want string // the one finding; empty for what is no damage
	do   func(*world) (undo func())
}

func TestADamagedServiceIsNamed(t *testing.T) { findsOnly(t, serviceDamages) }

var serviceDamages = []damage{
	{"a service that the cluster does not run", "service-missing", func(w *world) func() {
		return w.serviceNamed("service9")
	}},
	{"a cluster that is not there", "service-missing", func(w *world) func() {
		w.catalog.Baseline.Cluster = "nowhere"
		return func() { w.catalog.Baseline.Cluster = "staging" }
	}},
	{"a service behind no target group", "no-target-group", func(w *world) func() {
		return w.edit("DescribeServices", func(out any) { first(out).LoadBalancers = nil })
	}},
	{"a target group that was deleted", "no-target-group", func(w *world) func() {
		return w.edit("DescribeServices", func(out any) {
			gone := w.groups["service1"][:strings.LastIndex(w.groups["service1"], "/")] + "/0123456789abcdef"
			first(out).LoadBalancers[0].TargetGroupArn = &gone
		})
	}},
	{"a service whose container has another name", "not-cloneable", func(w *world) func() {
		return w.redefine(func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Name = aws.String("other") })
	}},
	{"a service that CodeDeploy deploys", "not-cloneable", func(w *world) func() {
		return w.edit("DescribeServices", func(out any) {
			first(out).DeploymentController = &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeCodeDeploy}
		})
	}},
	{"a baseline on x86, which is what ECS takes for none", "wrong-architecture", func(w *world) func() {
		return w.redefine(func(in *ecs.RegisterTaskDefinitionInput) { in.RuntimePlatform = nil })
	}},
	{"a service behind two target groups", "several-target-groups", func(w *world) func() {
		return w.edit("DescribeServices", func(out any) {
			first(out).LoadBalancers = append(first(out).LoadBalancers, first(out).LoadBalancers[0])
		})
	}},
	{"a service without a task", "no-task", func(w *world) func() {
		w.update(&ecs.UpdateServiceInput{Service: aws.String("service1"), DesiredCount: aws.Int32(0)})
		return func() { w.update(&ecs.UpdateServiceInput{Service: aws.String("service1"), DesiredCount: aws.Int32(1)}) }
	}},
	{"a container beside it with the same image", "old-image-beside", func(w *world) func() {
		return w.redefine(func(in *ecs.RegisterTaskDefinitionInput) {
			migrate := in.ContainerDefinitions[0]
			migrate.Name, migrate.PortMappings = aws.String("migrate"), nil
			in.ContainerDefinitions = append(in.ContainerDefinitions, migrate)
		})
	}},
	{"a log group that was deleted", "log-group-missing", func(w *world) func() {
		_, err := w.Logs.DeleteLogGroup(w.t.Context(), &logs.DeleteLogGroupInput{LogGroupName: aws.String("/staging/service1")})
		w.must(err)
		return func() {
			_, err := w.Logs.CreateLogGroup(w.t.Context(), &logs.CreateLogGroupInput{LogGroupName: aws.String("/staging/service1")})
			w.must(err)
		}
	}},
	{"a log group that ECS makes", "", func(w *world) func() {
		return w.redefine(func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].LogConfiguration.Options["awslogs-group"] = "/new"
			in.ContainerDefinitions[0].LogConfiguration.Options["awslogs-create-group"] = "true"
		})
	}},
	{"no grace for a task that starts", "little-time-to-start", func(w *world) func() {
		w.grace = 0
		return func() { w.grace = 60 }
	}},
	{"a target group of gRPC", "grpc", func(w *world) func() {
		return w.edit("DescribeTargetGroups", func(out any) {
			for i, g := range out.(*elb.DescribeTargetGroupsOutput).TargetGroups {
				if *g.TargetGroupArn == w.groups["service1"] {
					out.(*elb.DescribeTargetGroupsOutput).TargetGroups[i].ProtocolVersion = aws.String("GRPC")
				}
			}
		})
	}},
	{"a role that may not be passed", "role-not-passable", func(w *world) func() {
		w.catalog.Installation.ExecutionRoles[0] += "-other"
		return func() { w.catalog.Installation.ExecutionRoles[0] = "arn:aws:iam::123456789012:role/staging-execution" }
	}},
	{"previews without a role of their own", "no-preview-role", func(w *world) func() {
		return w.change(func(s *catalog.Service) { s.PreviewTaskRole = "" })
	}},
	{"previews that would run with the baseline's role", "baseline-role", func(w *world) func() {
		return w.redefine(func(in *ecs.RegisterTaskDefinitionInput) {
			*in.TaskRoleArn = "arn:aws:iam::123456789012:role/preview/task"
		})
	}},
	{"a role of previews outside of the boundary", "role-without-boundary", func(w *world) func() {
		return w.edit("GetRole", func(out any) { out.(*iam.GetRoleOutput).Role.PermissionsBoundary = nil })
	}},
	{"no role to pull the image with", "no-execution-role", func(w *world) func() {
		return w.redefine(func(in *ecs.RegisterTaskDefinitionInput) { in.ExecutionRoleArn = nil })
	}},
	{"a role that is not there", "role-missing", func(w *world) func() {
		return w.change(func(s *catalog.Service) { s.PreviewTaskRole += "-none" })
	}},
	{"a role that tasks may not assume", "role-not-assumable", func(w *world) func() {
		w.trust(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`)
		return func() { w.trust(trust) }
	}},
	{"a role that may not pull the previews' images", "role-cannot-pull", func(w *world) func() {
		return w.answered("SimulatePrincipalPolicy", denying("ecr:BatchGetImage"))
	}},
	{"a role that may not read a secret", "role-cannot-read-secret", func(w *world) func() {
		undo := w.redefine(func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions[0].Secrets = []ecstypes.Secret{
				{Name: aws.String("A"), ValueFrom: aws.String("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf:password::")},
				{Name: aws.String("B"), ValueFrom: aws.String("/plain")},
			}
		})
		allow := w.answered("SimulatePrincipalPolicy", denying("secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"))
		return func() { undo(); allow() }
	}},
	{"a role that may not consume the previews' queues", "role-cannot-consume", func(w *world) func() {
		return w.answered("SimulatePrincipalPolicy", denying("sqs:ReceiveMessage arn:aws:sqs:us-east-1:123456789012:pv-pr1-orders-1"))
	}},
	{"a queue that was deleted", "queue-missing", func(w *world) func() {
		url, err := w.SQS.GetQueueUrl(w.t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("staging-orders")})
		w.must(err)
		_, err = w.SQS.DeleteQueue(w.t.Context(), &sqs.DeleteQueueInput{QueueUrl: url.QueueUrl})
		w.must(err)
		return func() {
			_, err := w.SQS.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("staging-orders")})
			w.must(err)
		}
	}},
}

// first is the service1 of an answer, or a service that nobody looks at.
func first(out any) *ecstypes.Service {
	services := out.(*ecs.DescribeServicesOutput).Services
	for i := range services {
		if aws.ToString(services[i].ServiceName) == "service1" {
			return &services[i]
		}
	}
	return &ecstypes.Service{LoadBalancers: []ecstypes.LoadBalancer{{}}}
}

// edit changes the emulator's answers to an operation.
func (w *world) edit(operation string, change func(any)) (undo func()) {
	w.edits[operation] = change
	return func() { delete(w.edits, operation) }
}

// answered is answered instead of the emulator.
func (w *world) answered(operation string, answer any) (undo func()) {
	before := w.answers[operation]
	w.answers[operation] = answer
	return func() { w.answers[operation] = before }
}

func (w *world) serviceNamed(name string) (undo func()) {
	return w.change(func(s *catalog.Service) { s.ECSService = name })
}

// change changes service1 in the catalog.
func (w *world) change(change func(*catalog.Service)) (undo func()) {
	s := w.catalog.Services["service1"]
	before := s
	change(&s)
	w.catalog.Services["service1"] = s
	return func() { w.catalog.Services["service1"] = before }
}

// redefine lets service1 run another task definition.
func (w *world) redefine(change func(*ecs.RegisterTaskDefinitionInput)) (undo func()) {
	w.register("service1", change)
	return func() { w.register("service1", func(*ecs.RegisterTaskDefinitionInput) {}) }
}

func (w *world) trust(document string) {
	_, err := w.IAM.UpdateAssumeRolePolicy(w.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("task"), PolicyDocument: &document})
	w.must(err)
}
