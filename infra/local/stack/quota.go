package stack

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/infra/local/edge"
)

// Quotas of one load balancer
// (docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
const (
	mostGroups = 100 // target groups; nobody can raise it
	mostRules  = 100 // without the default ones
)

// Quotas makes the edge refuse the functions a rule that the load balancer has no
// room for.
func (s *Stack) Quotas() {
	client := elb.NewFromConfig(s.Config)
	s.Edge.Refuse("elasticloadbalancing", "CreateRule", func([]byte) *edge.Refusal {
		var rules []types.Rule
		pages := elb.NewDescribeRulesPaginator(client, &elb.DescribeRulesInput{ListenerArn: &s.Seeded.Listener})
		for pages.HasMorePages() {
			page, err := pages.NextPage(context.Background())
			if err != nil {
				s.options.Log.Error("count rules", "error", err)
				return nil
			}
			rules = append(rules, page.Rules...)
		}
		return full(rules)
	})
}

// full is AWS's refusal of one more rule, with a target group of its own, or nil.
func full(rules []types.Rule) *edge.Refusal {
	groups, count := map[string]bool{}, 0
	for _, rule := range rules {
		if !aws.ToBool(rule.IsDefault) {
			count++
		}
		for _, action := range rule.Actions {
			if action.TargetGroupArn != nil {
				groups[*action.TargetGroupArn] = true
			}
		}
	}
	switch {
	case len(groups) >= mostGroups:
		return &edge.Refusal{Status: 400, Code: "TooManyUniqueTargetGroupsPerLoadBalancer", Message: fmt.Sprintf("the load balancer has %d target groups", len(groups))}
	case count >= mostRules:
		return &edge.Refusal{Status: 400, Code: "TooManyRules", Message: fmt.Sprintf("the load balancer has %d rules", count)}
	}
	return nil
}
