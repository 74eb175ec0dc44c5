package ecs

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// describeLimit is the most services that one DescribeServices takes (botocore).
const describeLimit = 10

// read learns what is wished for.
func (a *Agent) read(ctx context.Context) error {
	a.mu.Lock()
	version := a.version
	a.mu.Unlock()
	var found []described
	clusters := ecs.NewListClustersPaginator(a.ecs, &ecs.ListClustersInput{})
	for clusters.HasMorePages() {
		page, err := clusters.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list clusters: %w", err)
		}
		for _, cluster := range page.ClusterArns {
			services, err := a.readCluster(ctx, cluster)
			if err != nil {
				return err
			}
			found = append(found, services...)
		}
	}
	a.mu.Lock()
	if a.version == version {
		a.observeAll(found)
	}
	// Else a service was changed meanwhile, and what was read may be older.
	a.mu.Unlock()
	return a.complete(ctx)
}

func (a *Agent) readCluster(ctx context.Context, cluster string) ([]described, error) {
	var arns []string
	list := ecs.NewListServicesPaginator(a.ecs, &ecs.ListServicesInput{Cluster: &cluster})
	for list.HasMorePages() {
		page, err := list.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list services of %s: %w", cluster, err)
		}
		arns = append(arns, page.ServiceArns...)
	}
	var found []described
	for len(arns) > 0 {
		n := min(len(arns), describeLimit)
		out, err := a.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: arns[:n]})
		if err != nil {
			return nil, fmt.Errorf("describe services of %s: %w", cluster, err)
		}
		for _, s := range out.Services {
			found = append(found, describe(s))
		}
		arns = arns[n:]
	}
	return found, nil
}

// complete finds the task definitions that deployments still lack, and tells the
// API of the rollbacks.
func (a *Agent) complete(ctx context.Context) error {
	type revert struct {
		s          *service
		definition string
	}
	var reverts []revert
	lacking := map[string]bool{}
	a.mu.Lock()
	for _, s := range a.services {
		if s.revert != "" {
			reverts = append(reverts, revert{s, s.revert})
		}
		for _, d := range s.deployments {
			if d.content == nil {
				d.content = a.definitions[d.definition]
			}
			if d.content == nil {
				lacking[d.definition] = true
			}
		}
	}
	a.mu.Unlock()
	for _, r := range reverts {
		_, err := a.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{
			Cluster: &r.s.Cluster, Service: &r.s.Name, TaskDefinition: &r.definition,
		})
		if err != nil {
			return fmt.Errorf("roll back service %s: %w", r.s.Name, err)
		}
		a.mu.Lock()
		r.s.revert = ""
		a.mu.Unlock()
	}
	for name := range lacking {
		if err := a.readDefinition(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) readDefinition(ctx context.Context, name string) error {
	out, err := a.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name})
	if err != nil {
		return fmt.Errorf("describe task definition %s: %w", name, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if strings.HasPrefix(name, "arn:") {
		a.definitions[name] = out.TaskDefinition
	}
	for _, s := range a.services {
		for _, d := range s.deployments {
			if d.definition == name {
				d.definition, d.content = aws.ToString(out.TaskDefinition.TaskDefinitionArn), out.TaskDefinition
			}
		}
	}
	return nil
}

// described is a service as the API tells it.
type described struct {
	ARN            string           `json:"serviceArn"`
	Name           string           `json:"serviceName"`
	Cluster        string           `json:"clusterArn"`
	Status         string           `json:"status"`
	TaskDefinition string           `json:"taskDefinition"`
	LaunchType     string           `json:"launchType"`
	Desired        int              `json:"desiredCount"`
	Grace          *int             `json:"healthCheckGracePeriodSeconds"`
	Balancers      []balancer       `json:"loadBalancers"`
	Deployments    []deploymentName `json:"deployments"`
	Configuration  *configuration   `json:"deploymentConfiguration"`
}

type deploymentName struct {
	ID string `json:"id"`
}

type balancer struct {
	TargetGroup string `json:"targetGroupArn"`
	Container   string `json:"containerName"`
	Port        int    `json:"containerPort"`
}

type configuration struct {
	Breaker *breaker `json:"deploymentCircuitBreaker"`
}

type breaker struct {
	Enable    bool `json:"enable"`
	Rollback  bool `json:"rollback"`
	Threshold *struct {
		Type  string `json:"type"`
		Value int    `json:"value"`
	} `json:"thresholdConfiguration"`
}

func describe(s types.Service) described {
	d := described{
		ARN: aws.ToString(s.ServiceArn), Name: aws.ToString(s.ServiceName), Cluster: aws.ToString(s.ClusterArn),
		Status: aws.ToString(s.Status), TaskDefinition: aws.ToString(s.TaskDefinition), LaunchType: string(s.LaunchType),
		Desired: int(s.DesiredCount),
	}
	if s.HealthCheckGracePeriodSeconds != nil {
		d.Grace = aws.Int(int(*s.HealthCheckGracePeriodSeconds))
	}
	for _, b := range s.LoadBalancers {
		d.Balancers = append(d.Balancers, balancer{
			TargetGroup: aws.ToString(b.TargetGroupArn), Container: aws.ToString(b.ContainerName), Port: int(aws.ToInt32(b.ContainerPort)),
		})
	}
	for _, one := range s.Deployments {
		d.Deployments = append(d.Deployments, deploymentName{aws.ToString(one.Id)})
	}
	if s.DeploymentConfiguration != nil {
		d.Configuration = &configuration{Breaker: describeBreaker(s.DeploymentConfiguration.DeploymentCircuitBreaker)}
	}
	return d
}

func describeBreaker(from *types.DeploymentCircuitBreaker) *breaker {
	if from == nil {
		return nil
	}
	b := &breaker{Enable: from.Enable, Rollback: from.Rollback}
	if t := from.ThresholdConfiguration; t != nil {
		b.Threshold = &struct {
			Type  string `json:"type"`
			Value int    `json:"value"`
		}{string(t.Type), int(t.Value)}
	}
	return b
}
