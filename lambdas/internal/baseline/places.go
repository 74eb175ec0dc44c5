package baseline

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// Names of the limits (docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Limit.html).
const (
	groupLimit = "target-groups-per-application-load-balancer"
	ruleLimit  = "rules-per-application-load-balancer"
)

// Places are what one load balancer can hold, and how much of it is there already.
type Places struct {
	TargetGroups, Rules Place
}

// Place is one of its limits. Ours is what bears the installation's prefix or lies
// in its band of priorities, Others is the rest.
type Place struct {
	Limit, Ours, Others int
}

// Places counts the target groups and the rules of the load balancer that a
// listener belongs to, and asks AWS for its limits: 100 of each, the second
// adjustable.
func (r *Reader) Places(ctx context.Context, listener, prefix string, band [2]int) (Places, error) {
	var p Places
	if err := r.limits(ctx, &p); err != nil {
		return p, err
	}
	balancer := loadBalancer(listener)
	groups := elb.NewDescribeTargetGroupsPaginator(r.ELB, &elb.DescribeTargetGroupsInput{LoadBalancerArn: &balancer})
	for groups.HasMorePages() {
		page, err := groups.NextPage(ctx)
		if err != nil {
			return p, fmt.Errorf("count target groups: %w", err)
		}
		for _, g := range page.TargetGroups {
			p.TargetGroups.add(strings.HasPrefix(aws.ToString(g.TargetGroupName), prefix+"-"))
		}
	}
	listeners := elb.NewDescribeListenersPaginator(r.ELB, &elb.DescribeListenersInput{LoadBalancerArn: &balancer})
	for listeners.HasMorePages() {
		page, err := listeners.NextPage(ctx)
		if err != nil {
			return p, fmt.Errorf("list listeners: %w", err)
		}
		for _, l := range page.Listeners {
			if err := r.countRules(ctx, *l.ListenerArn, *l.ListenerArn == listener, band, &p.Rules); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func (r *Reader) limits(ctx context.Context, p *Places) error {
	limits := elb.NewDescribeAccountLimitsPaginator(r.ELB, &elb.DescribeAccountLimitsInput{})
	for limits.HasMorePages() {
		page, err := limits.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("read limits of load balancers: %w", err)
		}
		for _, l := range page.Limits {
			n, err := strconv.Atoi(aws.ToString(l.Max))
			if err != nil {
				continue // a limit that is no number is none of these two
			}
			switch aws.ToString(l.Name) {
			case groupLimit:
				p.TargetGroups.Limit = n
			case ruleLimit:
				p.Rules.Limit = n
			}
		}
	}
	return nil
}

// countRules counts the rules of a listener without its default, which has no place.
func (r *Reader) countRules(ctx context.Context, listener string, shared bool, band [2]int, place *Place) error {
	rules := elb.NewDescribeRulesPaginator(r.ELB, &elb.DescribeRulesInput{ListenerArn: &listener})
	for rules.HasMorePages() {
		page, err := rules.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("count rules: %w", err)
		}
		for _, rule := range page.Rules {
			if aws.ToBool(rule.IsDefault) {
				continue
			}
			n, err := strconv.Atoi(aws.ToString(rule.Priority))
			place.add(err == nil && shared && n >= band[0] && n <= band[1])
		}
	}
	return nil
}

func (p *Place) add(ours bool) {
	if ours {
		p.Ours++
		return
	}
	p.Others++
}

// loadBalancer is the ARN of a listener's load balancer, which it contains.
func loadBalancer(listener string) string {
	arn := strings.Replace(listener, ":listener/", ":loadbalancer/", 1)
	return arn[:strings.LastIndex(arn, "/")]
}
