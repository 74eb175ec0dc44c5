package rule

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/kind"
)

// List finds the rules in the band whose one host is that of an environment.
func (k *Kind) List(ctx context.Context, b kind.Bounds) ([]kind.Resource, error) {
	var found []kind.Resource
	for _, listener := range b.Listeners {
		rules, err := k.rules(ctx, listener)
		if err != nil {
			return nil, err
		}
		for _, rule := range rules {
			r, ok, err := k.resource(rule, listener, b, nil)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// Adopt takes a rule that bears our tags, of a host of ours and within the band, on
// a listener that the catalog has named before.
func (k *Kind) Adopt(ctx context.Context, arn string, tags map[string]string, b kind.Bounds) (kind.Resource, bool, error) {
	before, after, ok := strings.Cut(arn, ":listener-rule/")
	if !ok {
		return kind.Resource{}, false, nil
	}
	out, err := k.client.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{arn}})
	var gone *elbtypes.RuleNotFoundException
	if errors.As(err, &gone) || err == nil && len(out.Rules) == 0 {
		return kind.Resource{}, false, nil
	}
	if err != nil {
		return kind.Resource{}, false, fmt.Errorf("describe rule %s: %w", arn, err)
	}
	listener := before + ":listener/" + after[:strings.LastIndex(after, "/")]
	return k.resource(out.Rules[0], listener, b, tags)
}

// Identify is the listener with the host and the paths: a rule has no name.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.read(r)
	return spec.Listener + " " + spec.Host + " " + strings.Join(sorted(spec.Paths), " "), err
}

// resource is a rule as one of an environment, if it is one.
func (k *Kind) resource(rule elbtypes.Rule, listener string, b kind.Bounds, tags map[string]string) (kind.Resource, bool, error) {
	hosts, paths, plain := values(rule)
	number, err := strconv.Atoi(aws.ToString(rule.Priority))
	if !plain || err != nil || len(hosts) != 1 || len(paths) == 0 || k.guard.Priority(number, b.Band) != nil {
		return kind.Resource{}, false, nil //nolint:nilerr // the default rule's number is a word
	}
	label, _, _ := strings.Cut(hosts[0], ".")
	if k.guard.Host(hosts[0], label) != nil {
		return kind.Resource{}, false, nil
	}
	r, err := kind.Found(Spec{Listener: listener, Host: hosts[0], Paths: paths, Band: b.Band}, hosts[0], aws.ToString(rule.RuleArn), tags)
	r.Environment = label
	return r, err == nil, err
}
