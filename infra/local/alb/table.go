package alb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// table is what was read at one time. It is never changed; the groups that it
// points to live on from one table to the next.
type table struct {
	rules  []rule            // of the listener that is served, in the order they are tried
	groups map[string]*group // every target group that a rule of the load balancer forwards to
	others map[string]bool   // target groups of other load balancers
}

func (t *table) arns() []string { return slices.Sorted(maps.Keys(t.groups)) }

// retire ends the checks of the groups that the table which stands does not have.
// They keep their targets, for the requests that have them in hand.
func (t *table) retire(stands *table) {
	for arn, g := range t.groups {
		if stands.groups[arn] == nil {
			g.cancel()
		}
	}
}

// read always returns a table, that of an error only to be retired.
func (b *Balancer) read(ctx context.Context) (*table, error) {
	next := &table{groups: map[string]*group{}, others: map[string]bool{}}
	listeners, err := b.readListeners(ctx)
	if err != nil {
		return next, err
	}
	last := b.table.Load()
	for i, l := range listeners {
		rules, err := b.readRules(ctx, aws.ToString(l.ListenerArn))
		if err != nil {
			return next, err
		}
		for j, r := range rules {
			arn := r.action.forward
			if arn == "" {
				continue
			}
			if next.groups[arn] == nil {
				if next.groups[arn] = last.groups[arn]; next.groups[arn] == nil {
					next.groups[arn] = newGroup(b.ctx)
				}
			}
			rules[j].action.group = next.groups[arn]
		}
		if i == 0 {
			next.rules = b.carrier.carry(rules, time.Now())
			for _, r := range next.rules { // of one that was deleted too
				if r.action.group != nil {
					next.groups[r.action.forward] = r.action.group
				}
			}
		}
	}
	return next, b.readGroups(ctx, next)
}

// readListeners returns the listeners, that of the lowest port first.
func (b *Balancer) readListeners(ctx context.Context) ([]types.Listener, error) {
	var listeners []types.Listener
	pages := elb.NewDescribeListenersPaginator(b.client, &elb.DescribeListenersInput{LoadBalancerArn: &b.arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe listeners: %w", err)
		}
		listeners = append(listeners, page.Listeners...)
	}
	slices.SortStableFunc(listeners, func(x, y types.Listener) int {
		return int(aws.ToInt32(x.Port) - aws.ToInt32(y.Port))
	})
	return listeners, nil
}

// readRules sorts: moto answers the rules in the order they were made.
func (b *Balancer) readRules(ctx context.Context, listener string) ([]rule, error) {
	var rules []rule
	pages := elb.NewDescribeRulesPaginator(b.client, &elb.DescribeRulesInput{ListenerArn: &listener})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe rules: %w", err)
		}
		for _, r := range page.Rules {
			rules = append(rules, newRule(r))
		}
	}
	slices.SortStableFunc(rules, func(x, y rule) int { return x.priority - y.priority })
	return rules, nil
}

func (b *Balancer) readGroups(ctx context.Context, t *table) error {
	pages := elb.NewDescribeTargetGroupsPaginator(b.client, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("describe target groups: %w", err)
		}
		for _, g := range page.TargetGroups {
			arn := aws.ToString(g.TargetGroupArn)
			if known := t.groups[arn]; known != nil {
				known.set(newCheck(g))
				continue
			}
			// moto goes on to name ours when the rule is gone.
			t.others[arn] = slices.ContainsFunc(g.LoadBalancerArns, func(lb string) bool { return lb != b.arn })
		}
	}
	return nil
}

func (b *Balancer) readTargets(g *group) error {
	arn := g.settings().arn
	if arn == "" {
		return nil // made between two readings; the next has it
	}
	out, err := b.client.DescribeTargetHealth(b.ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if gone := new(types.TargetGroupNotFoundException); errors.As(err, &gone) {
		g.sync(nil)
		return nil
	}
	if err != nil {
		return fmt.Errorf("describe targets of %s: %w", arn, err)
	}
	var registered []address
	for _, d := range out.TargetHealthDescriptions {
		// Our own answer, if this comes by the edge, has those that leave too.
		if d.Target == nil || d.TargetHealth != nil && d.TargetHealth.State == types.TargetHealthStateEnumDraining {
			continue
		}
		registered = append(registered, address{aws.ToString(d.Target.Id), int(aws.ToInt32(d.Target.Port))})
	}
	g.sync(registered)
	return nil
}

// last is behind every priority, of which 50,000 is the greatest.
const last = 1 << 20

func newRule(r types.Rule) rule {
	made := rule{arn: aws.ToString(r.RuleArn), priority: last, action: newAction(r.Actions)}
	if !aws.ToBool(r.IsDefault) {
		if n, err := strconv.Atoi(aws.ToString(r.Priority)); err == nil {
			made.priority = n
		}
		for _, c := range r.Conditions {
			made.conditions = append(made.conditions, newCondition(c))
		}
	}
	return made
}
