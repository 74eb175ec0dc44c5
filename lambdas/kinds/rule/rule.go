// Package rule makes the listener rule of one override: its host and paths to its
// target group. A rule has no name; it is known by its ARN, and without that found
// again by its listener, host and paths. Its number lies in the band that the
// catalog reserves for overrides, longer paths first. Removal leaves nothing.
//
// No IAM condition can bound what a rule says, so this package alone may make
// rules, touches none but those of the environment's own host, and never moves one.
package rule

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

//go:embed example.json
var example []byte

// attempts bounds how many numbers an Ensure tries to take from other executions;
// each costs one of the account's three mutating calls a second.
const attempts = 5

type api interface {
	DescribeRules(context.Context, *elb.DescribeRulesInput, ...func(*elb.Options)) (*elb.DescribeRulesOutput, error)
	CreateRule(context.Context, *elb.CreateRuleInput, ...func(*elb.Options)) (*elb.CreateRuleOutput, error)
	ModifyRule(context.Context, *elb.ModifyRuleInput, ...func(*elb.Options)) (*elb.ModifyRuleOutput, error)
	DeleteRule(context.Context, *elb.DeleteRuleInput, ...func(*elb.Options)) (*elb.DeleteRuleOutput, error)
	DescribeTags(context.Context, *elb.DescribeTagsInput, ...func(*elb.Options)) (*elb.DescribeTagsOutput, error)
}

// Spec is a host-and-path rule that forwards to one target group.
type Spec struct {
	Listener string   `json:"listener"` // ARN
	Host     string   `json:"host"`     // exactly <label>.<base domain>
	Paths    []string `json:"paths"`    // at most 4: a rule has 5 values, the host is one
	Band     [2]int   `json:"band"`     // first and last priority reserved for overrides
	// TargetGroup is the "kind/name" key of the target group among the needs.
	TargetGroup string `json:"targetGroup"`
}

// maxPaths leaves one of a rule's 5 condition values for the host
// (docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
const maxPaths = 4

// Info is what the suite knows of listener rules. ${Listeners} are the ARNs of the
// catalog's listeners, ${ListenerRules} those of the rules below them.
func Info() kind.Info {
	ours := map[string]map[string]string{"StringEquals": {"aws:ResourceTag/ManagedBy": "${Prefix}"}}
	return kind.Info{Name: "rule", Rank: 20, Example: slices.Clone(example), Grants: []kind.Grant{
		{Actions: []string{"elasticloadbalancing:CreateRule"}, Resources: []string{"${Listeners}"}},
		{
			Actions:   []string{"elasticloadbalancing:ModifyRule", "elasticloadbalancing:DeleteRule"},
			Resources: []string{"${ListenerRules}"}, Conditions: ours,
		},
		{
			Actions: []string{"elasticloadbalancing:AddTags"}, Resources: []string{"${ListenerRules}"},
			Conditions: map[string]map[string]string{"StringEquals": {"elasticloadbalancing:CreateAction": "CreateRule"}},
			Why:        "Tags go in with the creation; without the condition a rule of the baseline could be tagged as ours, and then deleted.",
		},
		{
			Actions: []string{"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"}, Resources: []string{"*"},
			Why: "ELBv2 describe calls have no resource level.",
		},
	}, Sweep: []kind.Grant{
		{Actions: []string{"elasticloadbalancing:DeleteRule"}, Resources: []string{"${ListenerRules}"}, Conditions: ours},
		{
			Actions: []string{"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"}, Resources: []string{"*"},
			Why: "ELBv2 describe calls have no resource level.",
		},
	}}
}

// Kind makes listener rules.
type Kind struct {
	client api
	guard  guard.Guard
}

var _ kind.Sweepable = (*Kind)(nil)

// New makes the kind of a client.
func New(client api, guard guard.Guard) *Kind { return &Kind{client: client, guard: guard} }

// FromConfig makes the kind with a client of cfg.
func FromConfig(cfg aws.Config, guard guard.Guard) *Kind { return New(elb.NewFromConfig(cfg), guard) }

// Ensure makes the rule, or points it at the target group and paths that are
// wanted, and returns its ARN. No room in the band is a fault named
// statemachine.ErrNoRoom, a rule of somebody else one named statemachine.ErrForbidden.
func (k *Kind) Ensure(ctx context.Context, r kind.Resource) (string, error) {
	spec, err := k.read(r)
	if err != nil {
		return "", err
	}
	group := r.Needs[spec.TargetGroup]
	if group == "" {
		return "", fault.New(statemachine.ErrInternal, "The rule %s has no target group: %q is not there.", r.Name, spec.TargetGroup).
			WithNext("Provision the environment again.")
	}
	// An override's host must not lead to a target group of the baseline.
	if err := k.guard.Name(groupName(group)); err != nil {
		return "", err
	}
	rules, err := k.rules(ctx, spec.Listener)
	if err != nil {
		return "", err
	}
	found, err := k.ours(r, spec, rules)
	if err != nil {
		return "", err
	}
	if err := k.owned(ctx, r, found); err != nil {
		return "", err
	}
	keep, rest := choice(spec, found)
	id := aws.ToString(keep.RuleArn)
	switch {
	case id == "":
		if id, err = k.create(ctx, r, spec, group, rules); err != nil {
			return "", err
		}
	case !says(keep, spec) || !forwards(keep, group):
		if _, err := k.client.ModifyRule(ctx, &elb.ModifyRuleInput{
			RuleArn: &id, Conditions: spec.conditions(), Actions: forward(group),
		}); err != nil {
			return "", fmt.Errorf("modify rule %s of %s: %w", r.Name, spec.Host, err)
		}
		slog.InfoContext(ctx, "rule modified", "env", r.Environment, "kind", "rule", "name", r.Name)
	}
	// After the new one, so that the host is served all the time.
	return id, k.remove(ctx, r, rest)
}

// Verify tells whether a rule of the host and paths, or of the id, is there.
func (k *Kind) Verify(ctx context.Context, r kind.Resource) (bool, error) {
	spec, err := k.read(r)
	if err != nil {
		return false, err
	}
	found, err := k.find(ctx, r, spec)
	return len(found) > 0, err
}

// Remove deletes every rule of the host and paths, and that of the id.
func (k *Kind) Remove(ctx context.Context, r kind.Resource) error {
	spec, err := k.read(r)
	if err != nil {
		return err
	}
	found, err := k.find(ctx, r, spec)
	if err != nil {
		return err
	}
	if err := k.owned(ctx, r, found); err != nil {
		return err
	}
	return k.remove(ctx, r, found)
}

func (k *Kind) remove(ctx context.Context, r kind.Resource, rules []types.Rule) error {
	for _, rule := range rules {
		_, err := k.client.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: rule.RuleArn})
		var gone *types.RuleNotFoundException
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("delete rule %s: %w", r.Name, err)
		}
		slog.InfoContext(ctx, "rule deleted", "env", r.Environment, "kind", "rule", "name", r.Name)
	}
	return nil
}

// read is the specification, once the guard has let its host, paths and band pass.
func (k *Kind) read(r kind.Resource) (Spec, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return spec, err
	}
	checks := []error{
		k.guard.Host(spec.Host, r.Environment),
		k.guard.Priority(spec.Band[0], spec.Band), k.guard.Priority(spec.Band[1], spec.Band),
	}
	for _, path := range spec.Paths {
		checks = append(checks, k.guard.Path(path))
	}
	if len(spec.Paths) == 0 || len(spec.Paths) > maxPaths || spec.Listener == "" {
		checks = append(checks, fault.New(statemachine.ErrInternal,
			"The rule %s has %d paths on listener %q; 1 to %d on a listener are possible.", r.Name, len(spec.Paths), spec.Listener, maxPaths).
			WithNext("Correct the paths of the service in the catalog."))
	}
	return spec, errors.Join(checks...)
}

// find finds the rules that this row stands for. That of the ledger's id is asked for
// by itself if the list has it not: a list need not show yet what was made a moment
// ago, and the rule would stay.
func (k *Kind) find(ctx context.Context, r kind.Resource, spec Spec) ([]types.Rule, error) {
	rules, err := k.rules(ctx, spec.Listener)
	if err != nil {
		return nil, err
	}
	listed := slices.ContainsFunc(rules, func(rule types.Rule) bool { return aws.ToString(rule.RuleArn) == r.ID })
	if r.ID != "" && !listed {
		out, err := k.client.DescribeRules(ctx, &elb.DescribeRulesInput{RuleArns: []string{r.ID}})
		var gone *types.RuleNotFoundException
		if err != nil && !errors.As(err, &gone) {
			return nil, fmt.Errorf("describe rule %s: %w", r.Name, err)
		}
		if err == nil {
			rules = append(rules, out.Rules...)
		}
	}
	return k.ours(r, spec, rules)
}

// rules are all of the listener. A listener that is gone has none.
func (k *Kind) rules(ctx context.Context, listener string) ([]types.Rule, error) {
	var rules []types.Rule
	pages := elb.NewDescribeRulesPaginator(k.client, &elb.DescribeRulesInput{ListenerArn: &listener})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var gone *types.ListenerNotFoundException
		if errors.As(err, &gone) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("describe rules: %w", err)
		}
		rules = append(rules, page.Rules...)
	}
	return rules, nil
}

func (k *Kind) create(ctx context.Context, r kind.Resource, spec Spec, group string, rules []types.Rule) (string, error) {
	used := taken(rules)
	in := &elb.CreateRuleInput{ListenerArn: &spec.Listener, Conditions: spec.conditions(), Actions: forward(group)}
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(r.Tags[key])})
	}
	for range attempts {
		number, ok := choose(spec.Band, spec.Paths, r.Environment+"/"+r.Name, used)
		if !ok {
			return "", noRoom(spec)
		}
		if err := k.guard.Priority(number, spec.Band); err != nil {
			return "", err
		}
		in.Priority = aws.Int32(int32(number)) //nolint:gosec // at most 50,000
		out, err := k.client.CreateRule(ctx, in)
		var race *types.PriorityInUseException
		var full *types.TooManyRulesException
		var groups *types.TooManyUniqueTargetGroupsPerLoadBalancerException
		switch {
		case errors.As(err, &race):
			used[number] = true
		case errors.As(err, &full):
			f := fault.New(statemachine.ErrNoRoom, "The load balancer has no room for another rule (%s of %s).", r.Name, spec.Host).
				WithNext("Clean up an environment that is no longer needed, or ask for a higher quota of rules per load balancer.")
			f.Cause = err
			return "", f
		case errors.As(err, &groups):
			// 100, which AWS does not raise
			// (docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html).
			f := fault.New(statemachine.ErrNoRoom, "The load balancer has no room for another target group (%s of %s).", r.Name, spec.Host).
				WithNext("Clean up an environment that is no longer needed; AWS does not raise this quota.")
			f.Cause = err
			return "", f
		case err != nil:
			return "", fmt.Errorf("create rule %s of %s: %w", r.Name, spec.Host, err)
		default:
			slog.InfoContext(ctx, "rule created", "env", r.Environment, "kind", "rule", "name", r.Name, "priority", number)
			return aws.ToString(out.Rules[0].RuleArn), nil
		}
	}
	return "", fault.New(statemachine.ErrUnavailable, "Other environments took each of %d priorities that were free for %s.", attempts, spec.Host)
}

func noRoom(spec Spec) error {
	return fault.New(statemachine.ErrNoRoom, "No priority is free for the paths %v in the band %d to %d of the listener.",
		spec.Paths, spec.Band[0], spec.Band[1]).
		WithNext("Clean up an environment that is no longer needed, or widen baseline.priorities.overrides in the catalog.")
}
