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
// the tags; without them the prefix alone says that it is ours.
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
		tags, err := k.tags(ctx, some)
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

// tags are those of some groups, by ARN. A group that was deleted meanwhile has none.
func (k *Kind) tags(ctx context.Context, groups []types.TargetGroup) (map[string]map[string]string, error) {
	in := &elb.DescribeTagsInput{}
	for _, g := range groups {
		in.ResourceArns = append(in.ResourceArns, aws.ToString(g.TargetGroupArn))
	}
	out, err := k.client.DescribeTags(ctx, in)
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
