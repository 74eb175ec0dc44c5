package seed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/catalog"
)

const (
	// firstRule is the priority of the baseline's first rule, before all overrides.
	firstRule = 1
	// containerPort is where every backend of the sample listens.
	containerPort = 8080
)

func (s *seeder) loadBalancer(ctx context.Context) error {
	made, err := s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String(staging), Subnets: s.Subnets, SecurityGroups: []string{s.SecurityGroup},
		Type: types.LoadBalancerTypeEnumApplication, Scheme: types.LoadBalancerSchemeEnumInternal,
	})
	if err != nil {
		return fmt.Errorf("create load balancer: %w", err)
	}
	s.LoadBalancer = aws.ToString(made.LoadBalancers[0].LoadBalancerArn)
	port, err := strconv.ParseInt(cmp.Or(s.baseline.Port(), "80"), 10, 32)
	if err != nil {
		return fmt.Errorf("read port of %s: %w", s.BaselineURL, err)
	}
	listening, err := s.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &s.LoadBalancer, Port: aws.Int32(int32(port)), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{
			Type: types.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &types.FixedResponseActionConfig{
				StatusCode: aws.String("404"), ContentType: aws.String("text/plain"), MessageBody: aws.String("No service has this path."),
			},
		}},
	})
	if err != nil {
		return fmt.Errorf("create listener: %w", err)
	}
	s.Listener = aws.ToString(listening.Listeners[0].ListenerArn)
	return nil
}

// rules makes, for each backend, its target group, the rule of the baseline's host
// and the fallback that every other host has. Load-balancer calls stay in one
// goroutine: the services need the groups, and one order makes one listing.
func (s *seeder) rules(ctx context.Context) error {
	c := s.CatalogContent
	for i, name := range s.backends() {
		group, err := s.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String(staging + "-" + name), VpcId: &s.VPC, TargetType: types.TargetTypeEnumIp,
			Protocol: types.ProtocolEnumHttp, Port: aws.Int32(containerPort),
			HealthCheckProtocol: types.ProtocolEnumHttp, HealthCheckPath: aws.String("/healthz"), HealthCheckPort: aws.String("traffic-port"),
			HealthCheckIntervalSeconds: aws.Int32(30), HealthCheckTimeoutSeconds: aws.Int32(5),
			HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
			Matcher: &types.Matcher{HttpCode: aws.String("200")},
		})
		if err != nil {
			return fmt.Errorf("create target group of %s: %w", name, err)
		}
		arn := aws.ToString(group.TargetGroups[0].TargetGroupArn)
		s.TargetGroups[name] = arn
		paths := types.RuleCondition{
			Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: c.Services[name].Paths},
		}
		host := types.RuleCondition{
			Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{c.Baseline.Host}},
		}
		if err := s.rule(ctx, firstRule+i, arn, host, paths); err != nil {
			return fmt.Errorf("create rule of %s: %w", name, err)
		}
		if err := s.rule(ctx, c.Baseline.Priorities.Fallbacks[0]+i, arn, paths); err != nil {
			return fmt.Errorf("create fallback of %s: %w", name, err)
		}
	}
	return nil
}

func (s *seeder) rule(ctx context.Context, priority int, group string, conditions ...types.RuleCondition) error {
	_, err := s.elb.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: &s.Listener, Priority: aws.Int32(int32(priority)), Conditions: conditions,
		Actions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	return err
}

// backends are the names of the catalog's backends, sorted.
func (s *seeder) backends() []string {
	return s.only(func(c catalog.Service) bool { return c.Frontend == nil })
}

// only are the names of some services of the catalog, sorted.
func (s *seeder) only(wanted func(catalog.Service) bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.CatalogContent.Services)), func(name string) bool {
		return !wanted(s.CatalogContent.Services[name])
	})
}
