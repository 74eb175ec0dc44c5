package seed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// services makes the cluster and, for each backend, its task definition and its
// service of one task.
func (s *seeder) services(ctx context.Context) error {
	if _, err := s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &s.Cluster}); err != nil {
		return fmt.Errorf("create cluster: %w", err)
	}
	for _, name := range s.backends() {
		if _, err := s.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: logGroup(name)}); err != nil {
			return fmt.Errorf("create log group of %s: %w", name, err)
		}
		family, err := s.taskDefinition(ctx, name)
		if err != nil {
			return fmt.Errorf("register task definition of %s: %w", name, err)
		}
		group := s.TargetGroups[name]
		_, err = s.ecs.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: &s.Cluster, ServiceName: aws.String(s.CatalogContent.Services[name].ECSService),
			TaskDefinition: &family, DesiredCount: aws.Int32(1), LaunchType: types.LaunchTypeFargate,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
				Subnets: s.Subnets, SecurityGroups: []string{s.SecurityGroup}, AssignPublicIp: types.AssignPublicIpEnabled,
			}},
			LoadBalancers: []types.LoadBalancer{{
				TargetGroupArn: &group, ContainerName: &name, ContainerPort: aws.Int32(containerPort),
			}},
			HealthCheckGracePeriodSeconds: aws.Int32(30),
			DeploymentConfiguration: &types.DeploymentConfiguration{
				MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(200),
				DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
			},
		})
		if err != nil {
			return fmt.Errorf("create service %s: %w", name, err)
		}
	}
	return nil
}

func (s *seeder) taskDefinition(ctx context.Context, name string) (arn string, err error) {
	out, err := s.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(staging + "-" + name), Cpu: aws.String("256"), Memory: aws.String("512"),
		NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		RuntimePlatform: &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64, OperatingSystemFamily: types.OSFamilyLinux},
		TaskRoleArn:     s.role(staging + "-" + name), ExecutionRoleArn: s.role(staging + "-execution"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: &name, Image: aws.String(s.Result.Images[name]), Essential: aws.Bool(true),
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(containerPort), HostPort: aws.Int32(containerPort), Protocol: types.TransportProtocolTcp}},
			Environment:  s.variables(name),
			StopTimeout:  aws.Int32(5),
			LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": *logGroup(name), "awslogs-region": s.Config.Region, "awslogs-stream-prefix": name,
			}},
		}},
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn), nil
}

// variables are those of a backend of the baseline: what it calls is on the
// baseline's host, what it consumes is the baseline's queue.
func (s *seeder) variables(name string) []types.KeyValuePair {
	service := s.CatalogContent.Services[name]
	values := map[string]string{"PORT": strconv.Itoa(containerPort), "LOG_LEVEL": "info"}
	for variable := range service.Calls {
		values[variable] = s.BaselineURL
	}
	for variable, queue := range service.Consumes {
		values[variable] = s.Queues[queue]
	}
	var pairs []types.KeyValuePair
	for _, variable := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, types.KeyValuePair{Name: aws.String(variable), Value: aws.String(values[variable])})
	}
	return pairs
}

func logGroup(name string) *string { return aws.String("/" + staging + "/" + name) }
