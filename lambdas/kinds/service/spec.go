package service

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// Spec is a service cloned from that of the baseline, with its task definition.
type Spec struct {
	Name           string                          `json:"name"` // of the service and of the task-definition family
	TaskDefinition ecs.RegisterTaskDefinitionInput `json:"taskDefinition"`
	Service        ecs.CreateServiceInput          `json:"service"` // without its target group, which is a need
	// TargetGroup is the "kind/name" key of the target group among the needs.
	TargetGroup string `json:"targetGroup"`
	// QueueVariables are the variables that hold the URL of a queue of the
	// environment: variable → "kind/name" key among the needs.
	QueueVariables map[string]string `json:"queueVariables,omitempty"`
	Container      string            `json:"container"` // the container that is overridden
}

// Override is what an environment has otherwise than the baseline.
type Override struct {
	Name  string // of the service and of the task-definition family
	Image string
	// Variables and Secrets are by name; a secret's value is the ARN or name of where
	// it is kept. Either takes the place of the baseline's variable of that name,
	// whichever of the two that was.
	Variables map[string]string
	Secrets   map[string]string
	// QueueVariables are set to a queue's URL when it is known, unless Variables or
	// Secrets has the name.
	QueueVariables map[string]string
	TargetGroup    string // "kind/name" key among the needs
	// TaskRole is the ARN of the role that it runs with; empty is none: the baseline's
	// would be more than what nobody has reviewed may have.
	TaskRole string
	// ExecutionRole is the ARN of the role that starts it; empty is the baseline's.
	ExecutionRole string
}

// stopTimeout is long enough to answer what is under way, and short beside the 30 s
// of the default, which every removal and update would wait for.
const stopTimeout = 5

// Clone copies the baseline's service and task definition for one override: one
// task, no discovery by name, and a deployment that fails after the first task that
// does. What cannot be copied is a fault named statemachine.ErrNoBaseline. Neither
// argument is changed.
func Clone(base types.Service, definition types.TaskDefinition, o Override) (Spec, error) {
	if err := cloneable(base, o); err != nil {
		return Spec{}, err
	}
	container := aws.ToString(base.LoadBalancers[0].ContainerName)
	containers := slices.Clone(definition.ContainerDefinitions)
	i := slices.IndexFunc(containers, func(c types.ContainerDefinition) bool { return aws.ToString(c.Name) == container })
	if i < 0 {
		return Spec{}, noBaseline("The shared service %s sends its traffic to container %q, which its task definition has not.",
			aws.ToString(base.ServiceName), container)
	}
	override(&containers[i], o)
	queues := maps.Clone(o.QueueVariables)
	maps.DeleteFunc(queues, func(name, _ string) bool { return has(o.Variables, name) || has(o.Secrets, name) })
	return Spec{
		Name: o.Name, Container: container, TargetGroup: o.TargetGroup, QueueVariables: queues,
		TaskDefinition: ecs.RegisterTaskDefinitionInput{
			Family: &o.Name, ContainerDefinitions: containers,
			Cpu: definition.Cpu, Memory: definition.Memory, EphemeralStorage: definition.EphemeralStorage,
			ExecutionRoleArn: orElse(o.ExecutionRole, definition.ExecutionRoleArn), TaskRoleArn: orElse(o.TaskRole, nil),
			NetworkMode: definition.NetworkMode, IpcMode: definition.IpcMode, PidMode: definition.PidMode,
			RequiresCompatibilities: definition.RequiresCompatibilities, RuntimePlatform: definition.RuntimePlatform,
			PlacementConstraints: definition.PlacementConstraints, ProxyConfiguration: definition.ProxyConfiguration,
			Volumes: definition.Volumes,
		},
		Service: cloneService(base, o),
	}, nil
}

func cloneable(base types.Service, o Override) error {
	name := aws.ToString(base.ServiceName)
	if c := base.DeploymentController; c != nil && c.Type != "" && c.Type != types.DeploymentControllerTypeEcs {
		return noBaseline("The shared service %s is deployed by %s; only services that ECS itself deploys can be copied.", name, c.Type)
	}
	if base.SchedulingStrategy == types.SchedulingStrategyDaemon {
		return noBaseline("The shared service %s is a daemon, which runs once a machine.", name)
	}
	if len(base.LoadBalancers) == 0 || aws.ToString(base.LoadBalancers[0].ContainerName) == "" {
		return noBaseline("The shared service %s is not behind a load balancer.", name)
	}
	for variable := range o.Secrets {
		if has(o.Variables, variable) {
			return fault.New(statemachine.ErrBadRequest, "%s is overridden twice, as a variable and as a secret.", variable).
				WithNext("Keep one of them.").In("environmentVariablesOverrides")
		}
	}
	return nil
}

func noBaseline(format string, args ...any) error {
	return fault.New(statemachine.ErrNoBaseline, format, args...).
		WithNext("Correct ecsService in the catalog, or change the shared service.")
}

func cloneService(base types.Service, o Override) ecs.CreateServiceInput {
	in := ecs.CreateServiceInput{
		ServiceName: &o.Name, Cluster: base.ClusterArn, DesiredCount: aws.Int32(1),
		SchedulingStrategy: types.SchedulingStrategyReplica,
		LoadBalancers: []types.LoadBalancer{{
			ContainerName: base.LoadBalancers[0].ContainerName, ContainerPort: base.LoadBalancers[0].ContainerPort,
		}},
		NetworkConfiguration: base.NetworkConfiguration, PlatformVersion: base.PlatformVersion,
		HealthCheckGracePeriodSeconds: base.HealthCheckGracePeriodSeconds,
		PlacementConstraints:          base.PlacementConstraints, PlacementStrategy: base.PlacementStrategy,
		EnableECSManagedTags: true, PropagateTags: types.PropagateTagsService,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(200),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
				// The default floor is three failed tasks, which is minutes
				// (docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html).
				Enable: true, Rollback: true,
				ThresholdConfiguration: &types.ThresholdConfiguration{Type: types.ThresholdTypeCount, Value: 1},
			},
		},
	}
	// ECS refuses both; a service of a strategy reports a launch type as well.
	if len(base.CapacityProviderStrategy) > 0 {
		in.CapacityProviderStrategy = base.CapacityProviderStrategy
	} else {
		in.LaunchType = base.LaunchType
	}
	for _, deployment := range base.Deployments {
		if aws.ToString(deployment.Status) == primary {
			in.VolumeConfigurations = deployment.VolumeConfigurations
		}
	}
	return in
}

// override gives the container its own image, variables and a quick end.
func override(container *types.ContainerDefinition, o Override) {
	container.Image = &o.Image
	// They are for the baseline's registry; ECR refuses them.
	container.RepositoryCredentials = nil
	container.StopTimeout = aws.Int32(min(stopTimeout, aws.ToInt32(container.StopTimeout)))
	if *container.StopTimeout == 0 {
		container.StopTimeout = aws.Int32(stopTimeout)
	}
	merge(container, o.Variables, o.Secrets)
}

// merge sets variables and secrets in new lists, sorted so that the same content is
// the same text.
func merge(container *types.ContainerDefinition, variables, secrets map[string]string) {
	replaced := func(name *string) bool {
		return has(variables, aws.ToString(name)) || has(secrets, aws.ToString(name))
	}
	environment := slices.DeleteFunc(slices.Clone(container.Environment), func(v types.KeyValuePair) bool { return replaced(v.Name) })
	for name, value := range variables {
		environment = append(environment, types.KeyValuePair{Name: aws.String(name), Value: aws.String(value)})
	}
	slices.SortFunc(environment, func(a, b types.KeyValuePair) int {
		return strings.Compare(aws.ToString(a.Name), aws.ToString(b.Name))
	})
	kept := slices.DeleteFunc(slices.Clone(container.Secrets), func(s types.Secret) bool { return replaced(s.Name) })
	for name, from := range secrets {
		kept = append(kept, types.Secret{Name: aws.String(name), ValueFrom: aws.String(from)})
	}
	slices.SortFunc(kept, func(a, b types.Secret) int {
		return strings.Compare(aws.ToString(a.Name), aws.ToString(b.Name))
	})
	container.Environment, container.Secrets = environment, kept
}

// whole refuses a specification that Clone cannot have made.
func (s Spec) whole() error {
	if len(s.Service.LoadBalancers) != 1 {
		return fault.New(statemachine.ErrInternal, "The service %s has %d target groups; it must have one.", s.Name, len(s.Service.LoadBalancers))
	}
	return nil
}

// named refuses a specification whose parts are not of one name: what is removed by
// one would be left by the other.
func (s Spec) named() error {
	if aws.ToString(s.TaskDefinition.Family) != s.Name || aws.ToString(s.Service.ServiceName) != s.Name {
		return fault.New(statemachine.ErrInternal, "The service %s has a task definition of family %q and is called %q itself.",
			s.Name, aws.ToString(s.TaskDefinition.Family), aws.ToString(s.Service.ServiceName))
	}
	return nil
}

func orElse(value string, otherwise *string) *string {
	if value == "" {
		return otherwise
	}
	return &value
}

func has(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}
