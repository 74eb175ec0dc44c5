package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/kinds/targetgroup"
)

// architecture is what the images of a service's previews are built for.
func (d *doctor) architecture(name string) types.CPUArchitecture {
	return types.CPUArchitecture(strings.ToUpper(d.Catalog.Services[name].Build.For()))
}

// services clones each on paper.
func (d *doctor) services(ctx context.Context, s *sheet) {
	s.good("%d of the cluster %s can be cloned", len(d.backends()), d.Catalog.Baseline.Cluster)
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		switch {
		case codeOf(err) == "TargetGroupNotFound":
			s.fails("no-target-group", name, "Its target group is gone.", "Give the service "+d.Catalog.Services[name].ECSService+" a target group again.")
		case err != nil && b.Service.ServiceName == nil:
			s.blamed("service-missing", name, err)
		case err != nil && b.Definition.TaskDefinitionArn == nil:
			s.blamed("no-target-group", name, err)
		case err != nil:
			s.blamed("not-cloneable", name, err)
		default:
			d.service(s, name, b)
		}
	})
}

// service looks at what a clone has otherwise than people expect.
func (d *doctor) service(s *sheet, name string, b backend) {
	runs, built := types.CPUArchitectureX8664, d.architecture(name) // what ECS runs unless told otherwise
	if p := b.Definition.RuntimePlatform; p != nil && p.CpuArchitecture != "" {
		runs = p.CpuArchitecture
	}
	if runs != built {
		s.fails("wrong-architecture", name,
			fmt.Sprintf("The baseline runs it on %s, and its previews are built for %s: the task would end with \"exec format error\".", runs, built),
			fmt.Sprintf("Write architecture: %s below services.%s.build.", strings.ToLower(string(runs)), name))
	}
	if len(b.Service.LoadBalancers) > 1 {
		s.warns("several-target-groups", name,
			fmt.Sprintf("It stands behind %d target groups; a preview has the first alone.", len(b.Service.LoadBalancers)),
			"Put the one that its paths lead to first.")
	}
	if b.Service.DesiredCount == 0 {
		s.warns("no-task", name, "The baseline runs no task of it: whoever does not override it gets an error.",
			fmt.Sprintf("aws ecs update-service --cluster %s --service %s --desired-count 1", d.Catalog.Baseline.Cluster, aws.ToString(b.Service.ServiceName)))
	}
	image := imageOf(b.Definition, b.clone.Container)
	for _, c := range b.Definition.ContainerDefinitions {
		if other := aws.ToString(c.Name); other != b.clone.Container && aws.ToString(c.Image) == image {
			s.warns("old-image-beside", name,
				fmt.Sprintf("The container %s has the same image as %s, and keeps the baseline's in a preview.", other, b.clone.Container),
				"Let one container do both, or accept that "+other+" runs the old code.")
		}
	}
}

func imageOf(definition types.TaskDefinition, container string) string {
	for _, c := range definition.ContainerDefinitions {
		if aws.ToString(c.Name) == container {
			return aws.ToString(c.Image)
		}
	}
	return ""
}

// logGroups looks for those of all containers: ECS stops a task that cannot log.
func (d *doctor) logGroups(ctx context.Context, s *sheet) {
	found := map[string]bool{}
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		if err != nil {
			s.unknown(name, err)
			return
		}
		for _, c := range b.clone.TaskDefinition.ContainerDefinitions {
			if c.LogConfiguration == nil || c.LogConfiguration.LogDriver != types.LogDriverAwslogs {
				continue
			}
			options := c.LogConfiguration.Options
			group, region := options["awslogs-group"], options["awslogs-region"]
			if options["awslogs-create-group"] == "true" || found[region+group] {
				continue
			}
			there, err := d.logGroup(ctx, group, region)
			switch {
			case err != nil:
				s.unknown(name, err)
			case !there:
				s.fails("log-group-missing", name,
					fmt.Sprintf("The container %s logs to %s, which is not in %s: its tasks would not start.", aws.ToString(c.Name), group, region),
					fmt.Sprintf("aws logs create-log-group --log-group-name %s --region %s", group, region))
			}
			found[region+group] = there
		}
	})
	s.good("%d are there", len(found))
}

func (d *doctor) logGroup(ctx context.Context, group, region string) (bool, error) {
	out, err := d.Logs.DescribeLogGroups(ctx, &logs.DescribeLogGroupsInput{LogGroupNamePrefix: &group}, func(o *logs.Options) {
		if region != "" {
			o.Region = region
		}
	})
	if err != nil {
		return false, err
	}
	// The shortest name comes first, and exactly the prefix is the shortest.
	return len(out.LogGroups) > 0 && aws.ToString(out.LogGroups[0].LogGroupName) == group, nil
}

// startTime is what a task should at least have before ECS ends it for a health check
// that fails: an image is pulled before it counts, a runtime is started within it.
const startTime = 30

// healthChecks compares a preview's with the baseline's.
func (d *doctor) healthChecks(ctx context.Context, s *sheet) {
	s.good("those of %d services suit a preview", len(d.backends()))
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		if err != nil {
			s.unknown(name, err)
			return
		}
		group := aws.ToString(b.TargetGroup.TargetGroupName)
		if aws.ToString(b.TargetGroup.ProtocolVersion) == "GRPC" {
			s.fails("grpc", name, fmt.Sprintf("Its target group %s speaks gRPC, which CloudFront does not carry to a VPC origin.", group),
				"Take it out of the catalog, and let previews call the baseline's.")
			return
		}
		d.healthCheck(s, name, b, targetgroup.Clone(b.TargetGroup, group).HealthCheck)
	})
}

func (d *doctor) healthCheck(s *sheet, name string, b backend, quick targetgroup.HealthCheck) {
	grace := aws.ToInt32(b.clone.Service.HealthCheckGracePeriodSeconds)
	if given := grace + quick.IntervalSeconds*quick.UnhealthyThreshold; given < startTime {
		s.warns("little-time-to-start", name,
			fmt.Sprintf("ECS ends a task of a preview that does not answer %s within %d s of its start.", quick.Path, given),
			fmt.Sprintf("aws ecs update-service --cluster %s --service %s --health-check-grace-period-seconds 60",
				d.Catalog.Baseline.Cluster, aws.ToString(b.Service.ServiceName)))
	}
}

// queues looks for those that the catalog clones.
func (d *doctor) queues(ctx context.Context, s *sheet) {
	names := slices.Sorted(maps.Keys(d.Catalog.Queues))
	s.good("%d can be cloned", len(names))
	each(ctx, names, func(name string) {
		if _, err := d.read.Queue(ctx, d.Catalog.Queues[name].Clone); err != nil {
			s.blamed("queue-missing", name, err)
		}
	})
}
