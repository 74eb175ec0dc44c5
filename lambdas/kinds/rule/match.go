package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

// Fields of the conditions of a rule.
const (
	hostField = "host-header"
	pathField = "path-pattern"
)

// ours are the rules that this row stands for, the one that says what is wanted
// first. A rule of the row's id that is not of our host, or outside the band, was
// changed by someone else: it is refused, never touched.
func (k *Kind) ours(r kind.Resource, spec Spec, rules []elbtypes.Rule) ([]elbtypes.Rule, error) {
	var found []elbtypes.Rule
	for _, rule := range rules {
		exact := says(rule, spec)
		if !exact && (r.ID == "" || aws.ToString(rule.RuleArn) != r.ID) {
			continue
		}
		hosts, _, _ := values(rule)
		number, err := strconv.Atoi(aws.ToString(rule.Priority))
		if err != nil || !slices.Equal(hosts, []string{spec.Host}) {
			return nil, fault.New(statemachine.ErrForbidden, "The rule %s is no longer one of host %s alone.", aws.ToString(rule.RuleArn), spec.Host).
				WithNext("Nothing was changed. Someone edited it by hand; put it right or delete it.")
		}
		if err := k.guard.Priority(number, spec.Band); err != nil {
			return nil, err
		}
		if exact {
			found = slices.Insert(found, 0, rule)
		} else {
			found = append(found, rule)
		}
	}
	return found, nil
}

// choice splits what was found into the rule to keep and those to delete. A rule
// whose paths were changed in the catalog is kept only if its number is still right
// for them: numbers are never moved.
func choice(spec Spec, found []elbtypes.Rule) (keep elbtypes.Rule, rest []elbtypes.Rule) {
	if len(found) == 0 {
		return keep, nil
	}
	number, err := strconv.Atoi(aws.ToString(found[0].Priority))
	if says(found[0], spec) || err == nil && holds(spec.Band, spec.Paths, number) {
		return found[0], found[1:]
	}
	return keep, found
}

// says tells whether a rule is of exactly the host and the paths.
func says(rule elbtypes.Rule, spec Spec) bool {
	hosts, paths, plain := values(rule)
	return plain && slices.Equal(hosts, []string{spec.Host}) && slices.Equal(paths, sorted(spec.Paths))
}

// values are the hosts and the sorted paths of a rule; it is plain if it asks for
// nothing else.
func values(rule elbtypes.Rule) (hosts, paths []string, plain bool) {
	plain = true
	for _, condition := range rule.Conditions {
		switch {
		case aws.ToString(condition.Field) == hostField && condition.HostHeaderConfig != nil:
			hosts = condition.HostHeaderConfig.Values
		case aws.ToString(condition.Field) == pathField && condition.PathPatternConfig != nil:
			paths = sorted(condition.PathPatternConfig.Values)
		default:
			plain = false
		}
	}
	return hosts, paths, plain
}

// forwards tells whether all that the rule does is to forward to the group.
func forwards(rule elbtypes.Rule, group string) bool {
	if len(rule.Actions) != 1 || rule.Actions[0].Type != elbtypes.ActionTypeEnumForward {
		return false
	}
	action := rule.Actions[0]
	if action.ForwardConfig != nil && len(action.ForwardConfig.TargetGroups) > 0 {
		groups := action.ForwardConfig.TargetGroups
		return len(groups) == 1 && aws.ToString(groups[0].TargetGroupArn) == group
	}
	return aws.ToString(action.TargetGroupArn) == group
}

// conditions are the host and the paths of the specification.
func (s Spec) conditions() []elbtypes.RuleCondition {
	return []elbtypes.RuleCondition{
		{Field: aws.String(hostField), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{s.Host}}},
		{Field: aws.String(pathField), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: s.Paths}},
	}
}

func forward(group string) []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}}
}

// groupName is the name in …:targetgroup/name/id.
func groupName(arn string) string {
	_, after, _ := strings.Cut(arn, ":targetgroup/")
	name, _, _ := strings.Cut(after, "/")
	return name
}

// taken are the numbers of the rules; that of the default rule is a word.
func taken(rules []elbtypes.Rule) map[int]bool {
	used := map[int]bool{}
	for _, rule := range rules {
		if number, err := strconv.Atoi(aws.ToString(rule.Priority)); err == nil {
			used[number] = true
		}
	}
	return used
}

func sorted(list []string) []string {
	return slices.Sorted(slices.Values(list))
}
