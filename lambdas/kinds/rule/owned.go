package rule

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/kind"
)

// Owned tells whether every rule that the row stands for bears the tags of the
// environment: the host is anybody's who may make rules.
func (k *Kind) Owned(ctx context.Context, r kind.Resource) error {
	spec, err := k.read(r)
	if err != nil {
		return err
	}
	found, err := k.find(ctx, r, spec)
	if err != nil {
		return err
	}
	return k.owned(ctx, r, found)
}

func (k *Kind) owned(ctx context.Context, r kind.Resource, rules []types.Rule) error {
	for _, rule := range rules {
		arn := aws.ToString(rule.RuleArn)
		out, err := k.client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{arn}})
		var gone *types.RuleNotFoundException
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return fmt.Errorf("describe tags of rule %s: %w", r.Name, err)
		}
		tags := map[string]string{}
		for _, description := range out.TagDescriptions {
			for _, tag := range description.Tags {
				tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
		}
		if err := k.guard.Owns("listener rule "+arn, tags, r.Environment); err != nil {
			return err
		}
	}
	return nil
}
