// Package targetgroup makes the target group of one override: a copy of the
// baseline service's, with a quicker health check. It is named by the plan within
// the 32 characters that ELBv2 allows, and found again by that name, which is
// unique in an account and Region. Removal leaves nothing; it has to wait until no
// rule forwards to the group. Targets are registered by ECS, never from here.
package targetgroup

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

//go:embed example.json
var example []byte

// drain is how long a target that leaves may finish what it is at (design 13); the
// default of 300 s would hold every removal and every update for five minutes.
const (
	drainAttribute = "deregistration_delay.timeout_seconds"
	drain          = "5"
)

type api interface {
	DescribeTargetGroups(context.Context, *elb.DescribeTargetGroupsInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupsOutput, error)
	CreateTargetGroup(context.Context, *elb.CreateTargetGroupInput, ...func(*elb.Options)) (*elb.CreateTargetGroupOutput, error)
	ModifyTargetGroup(context.Context, *elb.ModifyTargetGroupInput, ...func(*elb.Options)) (*elb.ModifyTargetGroupOutput, error)
	DeleteTargetGroup(context.Context, *elb.DeleteTargetGroupInput, ...func(*elb.Options)) (*elb.DeleteTargetGroupOutput, error)
	DescribeTargetGroupAttributes(context.Context, *elb.DescribeTargetGroupAttributesInput, ...func(*elb.Options)) (*elb.DescribeTargetGroupAttributesOutput, error)
	DescribeTags(context.Context, *elb.DescribeTagsInput, ...func(*elb.Options)) (*elb.DescribeTagsOutput, error)
	ModifyTargetGroupAttributes(context.Context, *elb.ModifyTargetGroupAttributesInput, ...func(*elb.Options)) (*elb.ModifyTargetGroupAttributesOutput, error)
}

// Info is what the suite knows of target groups.
func Info() kind.Info {
	const group = "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:targetgroup/${Prefix}-*/*"
	ours := map[string]map[string]string{"StringEquals": {"aws:ResourceTag/ManagedBy": "${Prefix}"}}
	return kind.Info{Name: "targetgroup", Rank: 40, Example: slices.Clone(example), Grants: []kind.Grant{
		{Actions: []string{"elasticloadbalancing:CreateTargetGroup"}, Resources: []string{group}},
		{
			Actions: []string{
				"elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
				"elasticloadbalancing:DeleteTargetGroup",
			},
			Resources: []string{group}, Conditions: ours,
		},
		{
			Actions: []string{"elasticloadbalancing:AddTags"}, Resources: []string{group},
			Conditions: map[string]map[string]string{"StringEquals": {"elasticloadbalancing:CreateAction": "CreateTargetGroup"}},
			Why:        "Tags go in with the creation; without the condition a group of the baseline could be re-tagged.",
		},
		{
			Actions: []string{
				"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroupAttributes",
				"elasticloadbalancing:DescribeTags",
			},
			Resources: []string{"*"}, Why: "ELBv2 describe calls have no resource level.",
		},
	}, Sweep: []kind.Grant{
		{Actions: []string{"elasticloadbalancing:DeleteTargetGroup"}, Resources: []string{group}, Conditions: ours},
		{
			Actions:   []string{"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTags"},
			Resources: []string{"*"}, Why: "ELBv2 describe calls have no resource level.",
		},
	}}
}

// Kind makes target groups.
type Kind struct {
	client api
	guard  guard.Guard
}

var _ kind.Sweepable = (*Kind)(nil)

// New makes the kind of a client.
func New(client api, guard guard.Guard) *Kind { return &Kind{client: client, guard: guard} }

// FromConfig makes the kind with a client of cfg.
func FromConfig(cfg aws.Config, guard guard.Guard) *Kind { return New(elb.NewFromConfig(cfg), guard) }

// Ensure makes the target group, or repairs its health check, and returns its ARN.
// It makes at most one mutating call. What AWS lets nobody change (port, protocol,
// VPC) is left as it is until the next life; a group of somebody else is a fault
// named statemachine.ErrForbidden.
func (k *Kind) Ensure(ctx context.Context, r kind.Resource) (string, error) {
	spec, err := k.read(r)
	if err != nil {
		return "", err
	}
	if err := k.guard.Label(r.Environment); err != nil {
		return "", err
	}
	// AWS answers the creation of an identical group with the one there is, but
	// takes a mutating call of three a second for it; describing is nearly free.
	found, err := k.find(ctx, spec.Name)
	if err != nil {
		return "", err
	}
	if found == nil {
		return k.create(ctx, r, spec)
	}
	arn := aws.ToString(found.TargetGroupArn)
	if _, err := k.owned(ctx, r, arn); err != nil {
		return "", err
	}
	if checkOf(*found) == spec.HealthCheck {
		return arn, nil
	}
	if _, err := k.client.ModifyTargetGroup(ctx, spec.modification(arn)); err != nil {
		return "", fmt.Errorf("modify target group %s: %w", spec.Name, err)
	}
	slog.InfoContext(ctx, "target group modified", "env", r.Environment, "kind", "targetgroup", "name", spec.Name)
	return arn, nil
}

// Tune sets what may come after the environment serves: how long a target drains.
func (k *Kind) Tune(ctx context.Context, r kind.Resource) error {
	spec, err := k.read(r)
	if err != nil {
		return err
	}
	found, err := k.find(ctx, spec.Name)
	if err != nil || found == nil {
		return err
	}
	now, err := k.client.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: found.TargetGroupArn})
	if err != nil {
		return fmt.Errorf("describe attributes of target group %s: %w", spec.Name, err)
	}
	if slices.ContainsFunc(now.Attributes, func(a types.TargetGroupAttribute) bool {
		return aws.ToString(a.Key) == drainAttribute && aws.ToString(a.Value) == drain
	}) {
		return nil
	}
	if _, err := k.owned(ctx, r, aws.ToString(found.TargetGroupArn)); err != nil {
		return err
	}
	if _, err := k.client.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: found.TargetGroupArn,
		Attributes:     []types.TargetGroupAttribute{{Key: aws.String(drainAttribute), Value: aws.String(drain)}},
	}); err != nil {
		return fmt.Errorf("modify attributes of target group %s: %w", spec.Name, err)
	}
	slog.InfoContext(ctx, "target group tuned", "env", r.Environment, "kind", "targetgroup", "name", spec.Name)
	return nil
}

// Verify tells whether there is a target group of the name.
func (k *Kind) Verify(ctx context.Context, r kind.Resource) (bool, error) {
	spec, err := k.read(r)
	if err != nil {
		return false, err
	}
	found, err := k.find(ctx, spec.Name)
	return found != nil, err
}

// Remove deletes the target group. While a rule still forwards to it the fault is
// statemachine.ErrNotYet.
func (k *Kind) Remove(ctx context.Context, r kind.Resource) error {
	spec, err := k.read(r)
	if err != nil {
		return err
	}
	arn, err := k.known(ctx, r, spec)
	if err != nil || arn == "" {
		return err
	}
	// IAM may answer that a group which is not there, and so has no tag, is denied.
	if there, err := k.owned(ctx, r, arn); !there || err != nil {
		return err
	}
	_, err = k.client.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &arn})
	var inUse *types.ResourceInUseException
	switch {
	case missing(err):
		return nil
	case errors.As(err, &inUse):
		f := fault.New(statemachine.ErrNotYet, "The target group %s is still in use by a listener rule.", spec.Name)
		f.Cause = err
		return f
	case err != nil:
		return fmt.Errorf("delete target group %s: %w", spec.Name, err)
	}
	slog.InfoContext(ctx, "target group deleted", "env", r.Environment, "kind", "targetgroup", "name", spec.Name)
	return nil
}

// Owned tells whether the group of the name bears the tags of the environment.
func (k *Kind) Owned(ctx context.Context, r kind.Resource) error {
	spec, err := k.read(r)
	if err != nil {
		return err
	}
	arn, err := k.known(ctx, r, spec)
	if err != nil || arn == "" {
		return err
	}
	_, err = k.owned(ctx, r, arn)
	return err
}

func (k *Kind) owned(ctx context.Context, r kind.Resource, arn string) (there bool, err error) {
	tags, err := k.tags(ctx, arn)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, k.guard.Owns("target group "+arn, tags[arn], r.Environment)
}

// missing tells that there is no such group; the SDK has no type for it in the
// answers to DeleteTargetGroup.
func missing(err error) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && answer.ErrorCode() == (&types.TargetGroupNotFoundException{}).ErrorCode()
}

// known is the ARN of the group by its name, or else that of the ledger: a describe
// call need not see yet what was made a moment ago, and would let it stay. It is
// empty if there is neither.
func (k *Kind) known(ctx context.Context, r kind.Resource, spec Spec) (string, error) {
	found, err := k.find(ctx, spec.Name)
	if err != nil {
		return "", err
	}
	if found != nil {
		return aws.ToString(found.TargetGroupArn), nil
	}
	if !strings.Contains(r.ID, ":targetgroup/"+spec.Name+"/") {
		return "", nil // that of an earlier life, or none
	}
	return r.ID, nil
}

// read is the specification, once the guard has let its names pass.
func (k *Kind) read(r kind.Resource) (Spec, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return spec, err
	}
	return spec, k.guard.Name(spec.Name)
}

func (k *Kind) find(ctx context.Context, name string) (*types.TargetGroup, error) {
	out, err := k.client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{name}})
	var gone *types.TargetGroupNotFoundException
	if errors.As(err, &gone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe target group %s: %w", name, err)
	}
	if len(out.TargetGroups) == 0 {
		return nil, nil
	}
	return &out.TargetGroups[0], nil
}

func (k *Kind) create(ctx context.Context, r kind.Resource, spec Spec) (string, error) {
	out, err := k.client.CreateTargetGroup(ctx, spec.creation(r.Tags))
	var full *types.TooManyTargetGroupsException
	if errors.As(err, &full) {
		f := fault.New(statemachine.ErrNoRoom, "The account has no room for another target group (%s).", spec.Name).
			WithNext("Clean up an environment that is no longer needed, or ask for a higher quota of target groups per Region.")
		f.Cause = err
		return "", f
	}
	// Someone made it between the look and the call, as a retry does whose first answer
	// was lost, or the look did not see it yet. The next try finds it, and repairs it.
	var exists *types.DuplicateTargetGroupNameException
	if errors.As(err, &exists) {
		f := fault.New(statemachine.ErrUnavailable, "The target group %s was made a moment ago, and AWS does not show it yet.", spec.Name)
		f.Cause = err
		return "", f
	}
	if err != nil {
		return "", fmt.Errorf("create target group %s: %w", spec.Name, err)
	}
	slog.InfoContext(ctx, "target group created", "env", r.Environment, "kind", "targetgroup", "name", spec.Name)
	return aws.ToString(out.TargetGroups[0].TargetGroupArn), nil
}
