package targetgroup

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/kind"
)

// describeTags is the most ARNs that one DescribeTags takes (botocore, DescribeTagsInput).
const describeTags = 20

// List finds the target groups that bear the installation's prefix. Its label is in
// the tags.
func (k *Kind) List(ctx context.Context, _ kind.Bounds) ([]kind.Resource, error) {
	var groups []types.TargetGroup
	pages := elb.NewDescribeTargetGroupsPaginator(k.client, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list target groups: %w", err)
		}
		for _, g := range page.TargetGroups {
			if k.guard.Name(aws.ToString(g.TargetGroupName)) == nil {
				groups = append(groups, g)
			}
		}
	}
	var found []kind.Resource
	for some := range slices.Chunk(groups, describeTags) {
		arns := make([]string, len(some))
		for i, g := range some {
			arns[i] = aws.ToString(g.TargetGroupArn)
		}
		tags, err := k.tags(ctx, arns...)
		if err != nil {
			return nil, err
		}
		for _, g := range some {
			r, err := resource(g, tags[aws.ToString(g.TargetGroupArn)])
			if err != nil {
				return nil, err
			}
			found = append(found, r)
		}
	}
	return found, nil
}

// Adopt finds nothing: List finds every target group of our name.
func (k *Kind) Adopt(context.Context, string, map[string]string, kind.Bounds) (kind.Resource, bool, error) {
	return kind.Resource{}, false, nil
}

// Identify is the name, which is unique in an account and Region.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.read(r)
	return spec.Name, err
}

func resource(g types.TargetGroup, tags map[string]string) (kind.Resource, error) {
	name := aws.ToString(g.TargetGroupName)
	return kind.Found(Clone(g, name), name, aws.ToString(g.TargetGroupArn), tags)
}

// tags are those of some groups, by ARN.
func (k *Kind) tags(ctx context.Context, arns ...string) (map[string]map[string]string, error) {
	out, err := k.client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: arns})
	if err != nil {
		return nil, fmt.Errorf("describe tags of target groups: %w", err)
	}
	tags := map[string]map[string]string{}
	for _, d := range out.TagDescriptions {
		m := map[string]string{}
		for _, tag := range d.Tags {
			m[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		tags[aws.ToString(d.ResourceArn)] = m
	}
	return tags, nil
}
