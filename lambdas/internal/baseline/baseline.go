// Package baseline reads the live baseline that environments are cloned from: its
// ECS services with their task definitions and target groups, the listener's
// shared rules, its queues. It only describes; it knows nothing of environments.
package baseline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// describeServices is the most services that one DescribeServices takes (botocore).
const describeServices = 10

type ecsAPI interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
}

type elbAPI interface {
	DescribeTargetGroups(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error)
	DescribeRules(context.Context, *elb.DescribeRulesInput, ...func(*elb.Options)) (*elb.DescribeRulesOutput, error)
	DescribeListeners(context.Context, *elb.DescribeListenersInput, ...func(*elb.Options)) (*elb.DescribeListenersOutput, error)
	DescribeAccountLimits(context.Context, *elb.DescribeAccountLimitsInput, ...func(*elb.Options)) (*elb.DescribeAccountLimitsOutput, error)
}

type sqsAPI interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// Reader describes the baseline. What it does not find is a fault in the words of
// whoever wrote the catalog.
type Reader struct {
	ECS ecsAPI
	ELB elbAPI
	SQS sqsAPI
}

// Backend is one running service of the baseline.
type Backend struct {
	Service     ecstypes.Service
	Definition  ecstypes.TaskDefinition
	TargetGroup elbtypes.TargetGroup
}

// Backends reads the ECS services of a cluster by name, 10 a call, and reports all
// that are missing or cannot be cloned at once.
func (r *Reader) Backends(ctx context.Context, cluster string, names []string) (map[string]Backend, error) {
	found := map[string]Backend{}
	var faults fault.List
	for batch := range slices.Chunk(names, describeServices) {
		out, err := r.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: batch})
		if err != nil {
			return nil, describeFault(err, cluster)
		}
		for _, service := range out.Services {
			if aws.ToString(service.Status) == "ACTIVE" {
				found[aws.ToString(service.ServiceName)] = Backend{Service: service}
			}
		}
	}
	for _, name := range names {
		backend, ok := found[name]
		switch {
		case !ok:
			faults = append(faults, drift("the cluster %s runs no service %s", cluster, name))
		case len(backend.Service.LoadBalancers) == 0 || backend.Service.LoadBalancers[0].TargetGroupArn == nil:
			faults = append(faults, drift("the service %s of the cluster %s stands behind no target group", name, cluster))
		default:
			if err := r.complete(ctx, &backend); err != nil {
				return nil, err
			}
			found[name] = backend
		}
	}
	return found, faults.Err()
}

func describeFault(err error, cluster string) error {
	var missing *ecstypes.ClusterNotFoundException
	if errors.As(err, &missing) {
		return drift("there is no cluster %s", cluster)
	}
	return fmt.Errorf("describe services of %s: %w", cluster, err)
}

// complete adds the task definition and the target group of a backend.
func (r *Reader) complete(ctx context.Context, b *Backend) error {
	definition, err := r.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: b.Service.TaskDefinition})
	if err != nil {
		return fmt.Errorf("describe task definition %s: %w", aws.ToString(b.Service.TaskDefinition), err)
	}
	b.Definition = *definition.TaskDefinition
	arn := aws.ToString(b.Service.LoadBalancers[0].TargetGroupArn)
	groups, err := r.ELB.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}})
	if err != nil {
		return fmt.Errorf("describe target group %s: %w", arn, err)
	}
	if len(groups.TargetGroups) != 1 {
		return drift("the target group %s of the service %s is not there", arn, aws.ToString(b.Service.ServiceName))
	}
	b.TargetGroup = groups.TargetGroups[0]
	return nil
}

// Fallbacks are the shared rules of a listener: path → target-group ARN, of all
// rules in the band that have no host.
func (r *Reader) Fallbacks(ctx context.Context, listener string, band [2]int) (map[string]string, error) {
	found := map[string]string{}
	pages := elb.NewDescribeRulesPaginator(r.ELB, &elb.DescribeRulesInput{ListenerArn: &listener})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe rules of %s: %w", listener, err)
		}
		for _, rule := range page.Rules {
			priority, err := strconv.Atoi(aws.ToString(rule.Priority))
			if err != nil || priority < band[0] || priority > band[1] || len(rule.Actions) == 0 {
				continue // "default", or a rule that is none of the shared ones
			}
			for _, path := range sharedPaths(rule) {
				found[path] = forwardsTo(rule.Actions)
			}
		}
	}
	return found, nil
}

// sharedPaths are the paths of a rule with a path condition and nothing else.
func sharedPaths(rule elbtypes.Rule) []string {
	if len(rule.Conditions) != 1 || aws.ToString(rule.Conditions[0].Field) != "path-pattern" {
		return nil
	}
	if rule.Conditions[0].PathPatternConfig != nil {
		return rule.Conditions[0].PathPatternConfig.Values
	}
	return rule.Conditions[0].Values
}

func forwardsTo(actions []elbtypes.Action) string {
	last := actions[len(actions)-1]
	if last.TargetGroupArn == nil && last.ForwardConfig != nil && len(last.ForwardConfig.TargetGroups) == 1 {
		return aws.ToString(last.ForwardConfig.TargetGroups[0].TargetGroupArn)
	}
	return aws.ToString(last.TargetGroupArn)
}

// CheckFallback compares the catalog's paths of a service with the shared rules:
// a path that is not there, or leads elsewhere, would show the wrong code.
func CheckFallback(service string, paths []string, targetGroup string, fallbacks map[string]string) *fault.Fault {
	var missing, elsewhere []string
	for _, path := range paths {
		switch got, ok := fallbacks[path]; {
		case !ok:
			missing = append(missing, path)
		case got != targetGroup:
			elsewhere = append(elsewhere, path)
		}
	}
	if len(missing)+len(elsewhere) == 0 {
		return nil
	}
	sort.Strings(missing)
	sort.Strings(elsewhere)
	var words []string
	if len(missing) > 0 {
		words = append(words, "has no rule for "+strings.Join(missing, ", "))
	}
	if len(elsewhere) > 0 {
		words = append(words, "forwards "+strings.Join(elsewhere, ", ")+" to another target group")
	}
	return drift("the shared part of the listener %s, which the catalog gives to %s", strings.Join(words, " and "), service)
}

// CheckProtocol refuses a service whose answers the edge could not carry: a VPC
// origin takes no gRPC
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
func CheckProtocol(service string, group elbtypes.TargetGroup) *fault.Fault {
	if aws.ToString(group.ProtocolVersion) != "GRPC" {
		return nil
	}
	return fault.New(statemachine.ErrBadRequest, "%s speaks gRPC, which CloudFront does not carry to a load balancer inside a VPC, so that it would never be seen.", service).
		WithNext("Leave it out: the shared one is used. To preview it, give it a target group of HTTP1 or HTTP2.")
}

// Queue reads the attributes of a queue of the baseline.
func (r *Reader) Queue(ctx context.Context, name string) (map[string]string, error) {
	url, err := r.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	var missing *sqstypes.QueueDoesNotExist
	if errors.As(err, &missing) {
		return nil, drift("there is no queue %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("find queue %s: %w", name, err)
	}
	out, err := r.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("read attributes of queue %s: %w", name, err)
	}
	return out.Attributes, nil
}

func drift(format string, args ...any) *fault.Fault {
	return fault.New(statemachine.ErrNoBaseline, "The catalog and the baseline do not agree: "+format+".", args...).
		WithNext("The platform team puts the catalog or the baseline right; nothing was started.")
}
