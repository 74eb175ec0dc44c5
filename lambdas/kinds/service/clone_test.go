package service_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/kinds/service"
	"previewenv/statemachine"
)

func live() (types.Service, types.TaskDefinition) {
	base := types.Service{
		ServiceName: aws.String("service1"), ClusterArn: aws.String("arn:aws:ecs:us-east-1:1:cluster/staging"), DesiredCount: 4,
		LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"), HealthCheckGracePeriodSeconds: aws.Int32(20),
		EnableExecuteCommand: true, ServiceRegistries: []types.ServiceRegistry{{RegistryArn: aws.String("arn:registry")}},
		LoadBalancers: []types.LoadBalancer{{
			ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080), TargetGroupArn: aws.String("arn:baseline"),
		}},
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: types.AssignPublicIpDisabled,
		}},
	}
	definition := types.TaskDefinition{
		Family: aws.String("service1"), Revision: 7, Cpu: aws.String("256"), Memory: aws.String("512"),
		TaskRoleArn: aws.String("arn:task"), ExecutionRoleArn: aws.String("arn:execution"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Volumes:                 []types.Volume{{Name: aws.String("scratch"), Host: &types.HostVolumeProperties{}}},
		ContainerDefinitions: []types.ContainerDefinition{
			{Name: aws.String("sidecar"), Image: aws.String("sidecar:1"), Environment: []types.KeyValuePair{{Name: aws.String("LOG_LEVEL"), Value: aws.String("warn")}}},
			{
				Name: aws.String("app"), Image: aws.String("service1:live"), StopTimeout: aws.Int32(30),
				RepositoryCredentials: &types.RepositoryCredentials{CredentialsParameter: aws.String("arn:registry-password")},
				MountPoints:           []types.MountPoint{{SourceVolume: aws.String("scratch"), ContainerPath: aws.String("/tmp")}},
				Environment: []types.KeyValuePair{
					{Name: aws.String("LOG_LEVEL"), Value: aws.String("info")}, {Name: aws.String("API_KEY"), Value: aws.String("plain")},
					{Name: aws.String("ORDERS_QUEUE_URL"), Value: aws.String("baseline")},
				},
				Secrets: []types.Secret{
					{Name: aws.String("DATABASE_URL"), ValueFrom: aws.String("arn:db")}, {Name: aws.String("MODE"), ValueFrom: aws.String("arn:mode")},
				},
			},
		},
	}
	return base, definition
}

func TestClone(t *testing.T) {
	base, definition := live()
	before := encode(t, definition)
	got, err := service.Clone(base, definition, service.Override{
		Name: "pe-pr1-service1-1", Image: "registry/service1:abc", TargetGroup: "targetgroup/service1",
		Variables:      map[string]string{"LOG_LEVEL": "debug", "MODE": "preview", "EXTRA": "1"},
		Secrets:        map[string]string{"API_KEY": "arn:key"},
		QueueVariables: map[string]string{"ORDERS_QUEUE_URL": "queue/orders", "EXTRA": "queue/extra"},
		TaskRole:       "arn:preview",
	})
	if err != nil {
		t.Fatal(err)
	}
	app := got.TaskDefinition.ContainerDefinitions[1]
	variables, secrets := map[string]string{}, map[string]string{}
	for _, variable := range app.Environment {
		variables[*variable.Name] = *variable.Value
	}
	for _, secret := range app.Secrets {
		secrets[*secret.Name] = *secret.ValueFrom
	}
	type digest struct {
		Image, Sidecar, SidecarLevel, Family, Service, Role, ExecutionRole, Cluster, Volume, Platform, Subnet string
		Stop, Desired, Grace                                                                                  int32
		Variables, Secrets, Queues                                                                            map[string]string
		Propagate                                                                                             types.PropagateTags
		Breaker                                                                                               types.ThresholdType
		Managed, Exec, Rollback, OwnCredentials, OwnTargetGroup, Registries                                   bool
	}
	breaker := got.Service.DeploymentConfiguration.DeploymentCircuitBreaker
	want := digest{
		Image: "registry/service1:abc", Sidecar: "sidecar:1", SidecarLevel: "warn", Family: "pe-pr1-service1-1", Service: "pe-pr1-service1-1",
		Role: "arn:preview", ExecutionRole: "arn:execution", Cluster: *base.ClusterArn, Volume: "scratch", Platform: "1.4.0", Subnet: "subnet-1",
		Stop: 5, Desired: 1, Grace: 20,
		Variables: map[string]string{"LOG_LEVEL": "debug", "MODE": "preview", "EXTRA": "1", "ORDERS_QUEUE_URL": "baseline"},
		Secrets:   map[string]string{"DATABASE_URL": "arn:db", "API_KEY": "arn:key"},
		Queues:    map[string]string{"ORDERS_QUEUE_URL": "queue/orders"},
		Propagate: types.PropagateTagsService, Breaker: types.ThresholdTypeCount, Managed: true, Rollback: true,
	}
	if diff := cmp.Diff(want, digest{
		Image: *app.Image, Sidecar: *got.TaskDefinition.ContainerDefinitions[0].Image,
		SidecarLevel: *got.TaskDefinition.ContainerDefinitions[0].Environment[0].Value,
		Family:       *got.TaskDefinition.Family, Service: *got.Service.ServiceName, Role: *got.TaskDefinition.TaskRoleArn,
		ExecutionRole: *got.TaskDefinition.ExecutionRoleArn, Cluster: *got.Service.Cluster, Volume: *got.TaskDefinition.Volumes[0].Name,
		Platform: *got.Service.PlatformVersion, Subnet: got.Service.NetworkConfiguration.AwsvpcConfiguration.Subnets[0],
		Stop: *app.StopTimeout, Desired: *got.Service.DesiredCount, Grace: *got.Service.HealthCheckGracePeriodSeconds,
		Variables: variables, Secrets: secrets, Queues: got.QueueVariables, Propagate: got.Service.PropagateTags,
		Breaker: breaker.ThresholdConfiguration.Type, Managed: got.Service.EnableECSManagedTags, Exec: got.Service.EnableExecuteCommand,
		Rollback: breaker.Rollback && breaker.Enable, OwnCredentials: app.RepositoryCredentials != nil,
		OwnTargetGroup: got.Service.LoadBalancers[0].TargetGroupArn != nil, Registries: got.Service.ServiceRegistries != nil,
	}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(string(before), string(encode(t, definition))); diff != "" {
		t.Errorf("the baseline's definition was changed: %s", diff)
	}
}

func TestCloneOfWhatCannotBeCopied(t *testing.T) {
	tests := map[string]struct {
		base     func(*types.Service)
		override service.Override
		want     string
	}{
		"CodeDeploy deploys it": {base: func(s *types.Service) {
			s.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy}
		}, want: statemachine.ErrNoBaseline},
		"someone else deploys it": {base: func(s *types.Service) {
			s.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
		}, want: statemachine.ErrNoBaseline},
		"it has no load balancer":  {base: func(s *types.Service) { s.LoadBalancers = nil }, want: statemachine.ErrNoBaseline},
		"its container is missing": {base: func(s *types.Service) { s.LoadBalancers[0].ContainerName = aws.String("other") }, want: statemachine.ErrNoBaseline},
		"it is a daemon":           {base: func(s *types.Service) { s.SchedulingStrategy = types.SchedulingStrategyDaemon }, want: statemachine.ErrNoBaseline},
		"a name is both variable and secret": {
			base:     func(*types.Service) {},
			override: service.Override{Variables: map[string]string{"A": "1"}, Secrets: map[string]string{"A": "arn"}}, want: statemachine.ErrBadRequest,
		},
	}
	for rule, test := range tests {
		t.Run(rule, func(t *testing.T) {
			base, definition := live()
			test.base(&base)
			if _, err := service.Clone(base, definition, test.override); !fault.Is(err, test.want) {
				t.Errorf("Clone = %v, want %s", err, test.want)
			}
		})
	}
}

func TestRolesAreThoseOfPreviews(t *testing.T) {
	base, definition := live()
	for rule, test := range map[string]struct {
		override        service.Override
		task, execution string
	}{
		"the baseline's task role is never copied": {service.Override{}, "", "arn:execution"},
		"a preview has roles of its own":           {service.Override{TaskRole: "arn:own", ExecutionRole: "arn:starts"}, "arn:own", "arn:starts"},
	} {
		t.Run(rule, func(t *testing.T) {
			got, err := service.Clone(base, definition, test.override)
			if err != nil {
				t.Fatal(err)
			}
			if task, execution := aws.ToString(got.TaskDefinition.TaskRoleArn), aws.ToString(got.TaskDefinition.ExecutionRoleArn); task != test.task || execution != test.execution {
				t.Errorf("it runs with %q and starts with %q, want %q and %q", task, execution, test.task, test.execution)
			}
		})
	}
}

func TestCapacityProvidersTakeThePlaceOfALaunchType(t *testing.T) {
	base, definition := live()
	base.CapacityProviderStrategy = []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 1}}
	got, err := service.Clone(base, definition, service.Override{Name: "pe-pr1-service1-1"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Service.LaunchType != "" || len(got.Service.CapacityProviderStrategy) != 1 {
		t.Errorf("launch type %q with %d capacity providers, want the providers alone", got.Service.LaunchType, len(got.Service.CapacityProviderStrategy))
	}
}

func TestSpecSurvivesTheLedger(t *testing.T) {
	base, definition := live()
	base.Deployments = []types.Deployment{{Status: aws.String("PRIMARY"), VolumeConfigurations: []types.ServiceVolumeConfiguration{{Name: aws.String("data")}}}}
	definition.ContainerDefinitions[0].Command = []string{} // empty is not absent
	definition.ContainerDefinitions[0].DockerLabels = map[string]string{}
	definition.ContainerDefinitions[1].LogConfiguration = &types.LogConfiguration{
		LogDriver: types.LogDriverAwslogs, Options: map[string]string{"mode": "non-blocking"},
	}
	want, err := service.Clone(base, definition, service.Override{Name: "pe-pr1-service1-1", Variables: map[string]string{"A": "<&>\u2028"}})
	if err != nil {
		t.Fatal(err)
	}
	var got service.Spec
	if err := json.Unmarshal(encode(t, want), &got); err != nil {
		t.Fatal(err)
	}
	unexported := cmp.FilterPath(func(path cmp.Path) bool {
		field, ok := path.Last().(cmp.StructField)
		return ok && field.Name() == "noSmithyDocumentSerde"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, unexported); diff != "" {
		t.Error(diff)
	}
}

func encode(t testing.TB, v any) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
