// Package service makes the ECS service of one override, and its task definition:
// a copy of the baseline's service with one task, its own image and variables. The
// service and the task-definition family bear one name, given by the plan; they are
// found again by it. A task definition of unchanged content is not registered
// again. Removal deletes the service without waiting for its tasks, and takes every
// revision of the family away; AWS keeps the name of a deleted service for a while.
//
// It must not know how an image was built, nor which rule leads to the service.
package service

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

//go:embed example.json
var example []byte

// startupLimit is how long a deployment may take to be healthy: a large image takes
// about a minute to start on Fargate, and one that needs five is broken.
const startupLimit = 5 * time.Minute

// Statuses of a service (botocore, Service).
const (
	active   = "ACTIVE"
	draining = "DRAINING"
)

type api interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	CreateService(context.Context, *ecs.CreateServiceInput, ...func(*ecs.Options)) (*ecs.CreateServiceOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
	DeleteService(context.Context, *ecs.DeleteServiceInput, ...func(*ecs.Options)) (*ecs.DeleteServiceOutput, error)
	ListTaskDefinitions(context.Context, *ecs.ListTaskDefinitionsInput, ...func(*ecs.Options)) (*ecs.ListTaskDefinitionsOutput, error)
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	RegisterTaskDefinition(context.Context, *ecs.RegisterTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.RegisterTaskDefinitionOutput, error)
	DeregisterTaskDefinition(context.Context, *ecs.DeregisterTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DeregisterTaskDefinitionOutput, error)
	DeleteTaskDefinitions(context.Context, *ecs.DeleteTaskDefinitionsInput, ...func(*ecs.Options)) (*ecs.DeleteTaskDefinitionsOutput, error)
	ListServices(context.Context, *ecs.ListServicesInput, ...func(*ecs.Options)) (*ecs.ListServicesOutput, error)
	ListTaskDefinitionFamilies(context.Context, *ecs.ListTaskDefinitionFamiliesInput, ...func(*ecs.Options)) (*ecs.ListTaskDefinitionFamiliesOutput, error)
	ListTasks(context.Context, *ecs.ListTasksInput, ...func(*ecs.Options)) (*ecs.ListTasksOutput, error)
	DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error)
}

type targetAPI interface {
	DescribeTargetGroups(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error)
	DescribeTargetHealth(context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error)
}

type logAPI interface {
	GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error)
}

// Kind makes ECS services.
type Kind struct {
	// StartupLimit is how long a deployment may take until it is called unhealthy.
	StartupLimit time.Duration
	// Now is the clock.
	Now func() time.Time

	client  api
	targets targetAPI
	logs    logAPI
	guard   guard.Guard
}

var _ kind.Sweepable = (*Kind)(nil)

// New makes the kind of its clients. The last two only describe.
func New(client api, targets targetAPI, logs logAPI, guard guard.Guard) *Kind {
	return &Kind{StartupLimit: startupLimit, Now: time.Now, client: client, targets: targets, logs: logs, guard: guard}
}

// FromConfig makes the kind with clients of cfg.
func FromConfig(cfg aws.Config, guard guard.Guard) *Kind {
	return New(ecs.NewFromConfig(cfg), elb.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg), guard)
}

// Ensure registers the task definition unless the same content is there, makes the
// service or moves it to that task definition, and returns the service's ARN: at
// most two mutating calls. A name that AWS still keeps for a service of an earlier
// life, and a rule that ECS does not see yet, are faults named statemachine.ErrNotYet,
// a service or a family of somebody else one named statemachine.ErrForbidden.
func (k *Kind) Ensure(ctx context.Context, r kind.Resource) (string, error) {
	spec, err := k.read(r)
	if err != nil {
		return "", err
	}
	if err := errors.Join(k.guard.Label(r.Environment), spec.whole()); err != nil {
		return "", err
	}
	want, err := k.resolve(r, spec)
	if err != nil {
		return "", err
	}
	found, err := k.find(ctx, spec)
	if err != nil {
		return "", err
	}
	if found != nil && lives(*found) {
		if err := k.owns(r, *found); err != nil {
			return "", err
		}
	}
	if found != nil && aws.ToString(found.Status) == draining {
		return "", fault.New(statemachine.ErrNotYet, "The earlier service %s is still being taken down.", spec.Name)
	}
	definition, err := k.definition(ctx, r, want)
	if err != nil {
		return "", err
	}
	if found == nil || aws.ToString(found.Status) != active {
		return k.create(ctx, r, want, definition)
	}
	if aws.ToString(found.TaskDefinition) == definition && found.DesiredCount == aws.ToInt32(spec.Service.DesiredCount) {
		return aws.ToString(found.ServiceArn), nil
	}
	return k.update(ctx, r, want, definition)
}

// Verify tells whether the service still takes traffic or runs tasks, or whether a
// revision of its family is active.
func (k *Kind) Verify(ctx context.Context, r kind.Resource) (bool, error) {
	spec, found, err := k.living(ctx, r)
	if err != nil || found != nil {
		return found != nil, err
	}
	revisions, err := k.revisions(ctx, spec.Name, types.TaskDefinitionStatusActive)
	return len(revisions) > 0, err
}

// living is the service of a specification while it takes traffic or runs tasks, else
// nil.
func (k *Kind) living(ctx context.Context, r kind.Resource) (Spec, *types.Service, error) {
	spec, err := k.read(r)
	if err != nil {
		return spec, nil, err
	}
	found, err := k.find(ctx, spec)
	if err != nil || found == nil || !lives(*found) {
		return spec, nil, err
	}
	return spec, found, nil
}

// Remove deletes the service with its tasks, then every revision of the family.
func (k *Kind) Remove(ctx context.Context, r kind.Resource) error {
	spec, found, err := k.living(ctx, r)
	if err != nil {
		return err
	}
	if found != nil {
		if err := k.owns(r, *found); err != nil {
			return err
		}
		if err := k.delete(ctx, r, spec); err != nil {
			return err
		}
	}
	return k.forget(ctx, r, spec.Name)
}

func (k *Kind) delete(ctx context.Context, r kind.Resource, spec Spec) error {
	_, err := k.client.DeleteService(ctx, &ecs.DeleteServiceInput{
		Cluster: spec.Service.Cluster, Service: &spec.Name, Force: aws.Bool(true),
	})
	var missing *types.ServiceNotFoundException
	var inactive *types.ServiceNotActiveException
	var noCluster *types.ClusterNotFoundException
	switch {
	case errors.As(err, &missing), errors.As(err, &inactive), errors.As(err, &noCluster):
	case err != nil:
		return fmt.Errorf("delete service %s: %w", spec.Name, err)
	default:
		slog.InfoContext(ctx, "service deleted", "env", r.Environment, "kind", "service", "name", spec.Name)
	}
	return nil
}

// read is the specification, once the guard has let its names pass.
func (k *Kind) read(r kind.Resource) (Spec, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return spec, err
	}
	return spec, errors.Join(
		k.guard.Name(spec.Name),
		k.guard.Name(aws.ToString(spec.TaskDefinition.Family)), k.guard.Name(aws.ToString(spec.Service.ServiceName)),
		spec.named(),
	)
}

// resolve puts what the service stands on into the specification.
func (k *Kind) resolve(r kind.Resource, spec Spec) (Spec, error) {
	group := r.Needs[spec.TargetGroup]
	if group == "" {
		return spec, missing(r.Name, spec.TargetGroup)
	}
	// No IAM condition keeps a service from joining a target group of the baseline.
	if _, after, ok := strings.Cut(group, ":targetgroup/"); ok {
		name, _, _ := strings.Cut(after, "/")
		if err := k.guard.Name(name); err != nil {
			return spec, err
		}
	} else {
		return spec, missing(r.Name, spec.TargetGroup)
	}
	for i := range spec.Service.LoadBalancers {
		spec.Service.LoadBalancers[i].TargetGroupArn = &group
	}
	variables := map[string]string{}
	for variable, need := range spec.QueueVariables {
		if r.Needs[need] == "" {
			return spec, missing(r.Name, need)
		}
		variables[variable] = r.Needs[need]
	}
	for i := range spec.TaskDefinition.ContainerDefinitions {
		if container := &spec.TaskDefinition.ContainerDefinitions[i]; aws.ToString(container.Name) == spec.Container {
			merge(container, variables, nil)
		}
	}
	return spec, nil
}

func missing(name, need string) error {
	return fault.New(statemachine.ErrInternal, "The service %s cannot be made: %q is not there.", name, need).
		WithNext("Provision the environment again.")
}

// find is the service of the name, whatever its status, or nil.
func (k *Kind) find(ctx context.Context, spec Spec) (*types.Service, error) {
	out, err := k.client.DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: spec.Service.Cluster, Services: []string{spec.Name}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	var noCluster *types.ClusterNotFoundException
	if errors.As(err, &noCluster) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe service %s: %w", spec.Name, err)
	}
	if i := slices.IndexFunc(out.Services, func(s types.Service) bool { return aws.ToString(s.ServiceName) == spec.Name }); i >= 0 {
		return &out.Services[i], nil
	}
	return nil, nil
}

func (k *Kind) create(ctx context.Context, r kind.Resource, want Spec, definition string) (string, error) {
	in := want.Service
	in.TaskDefinition, in.Tags = &definition, tagList(r.Tags)
	out, err := k.client.CreateService(ctx, &in)
	if unseen(err) {
		return "", fault.New(statemachine.ErrNotYet, "ECS does not see yet that the load balancer leads to %s.", want.Name)
	}
	if err != nil {
		return "", fmt.Errorf("create service %s: %w", want.Name, err)
	}
	slog.InfoContext(ctx, "service created", "env", r.Environment, "kind", "service", "name", want.Name)
	return aws.ToString(out.Service.ServiceArn), nil
}

// unseen tells ECS's refusal of a service whose rule was just made: ECS looks at the
// load balancer on its own, a moment behind. The error's type says no more than that
// some parameter is wrong (github.com/cloudposse/terraform-aws-ecs-web-app, issue 226).
func unseen(err error) bool {
	invalid, ok := errors.AsType[*types.InvalidParameterException](err)
	return ok && strings.Contains(invalid.ErrorMessage(), "does not have an associated load balancer")
}

func (k *Kind) update(ctx context.Context, r kind.Resource, want Spec, definition string) (string, error) {
	out, err := k.client.UpdateService(ctx, &ecs.UpdateServiceInput{
		Cluster: want.Service.Cluster, Service: &want.Name, TaskDefinition: &definition, DesiredCount: want.Service.DesiredCount,
		DeploymentConfiguration: want.Service.DeploymentConfiguration, NetworkConfiguration: want.Service.NetworkConfiguration,
		HealthCheckGracePeriodSeconds: want.Service.HealthCheckGracePeriodSeconds, PlatformVersion: want.Service.PlatformVersion,
	})
	if err != nil {
		return "", fmt.Errorf("update service %s: %w", want.Name, err)
	}
	slog.InfoContext(ctx, "service updated", "env", r.Environment, "kind", "service", "name", want.Name)
	return aws.ToString(out.Service.ServiceArn), nil
}
