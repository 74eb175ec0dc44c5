package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/internal/kind"
)

// List finds the services of the cluster that bear the installation's prefix, and
// the task-definition families that do and have no service any more: a removal
// that was cut off leaves those.
func (k *Kind) List(ctx context.Context, b kind.Bounds) ([]kind.Resource, error) {
	names, err := k.names(ctx, b.Cluster)
	if err != nil {
		return nil, err
	}
	found, err := k.describe(ctx, b.Cluster, names)
	if err != nil {
		return nil, err
	}
	families, err := k.families(ctx)
	if err != nil {
		return nil, err
	}
	for _, family := range families {
		if slices.ContainsFunc(found, func(r kind.Resource) bool { return r.Name == family }) {
			continue
		}
		tags, err := k.tagsOf(ctx, family)
		if err != nil {
			return nil, err
		}
		r, err := resource(family, b.Cluster, "", tags)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// Adopt takes a service of our name in a cluster that the catalog has named before.
func (k *Kind) Adopt(ctx context.Context, arn string, _ map[string]string, _ kind.Bounds) (kind.Resource, bool, error) {
	_, after, ok := strings.Cut(arn, ":service/")
	cluster, name, long := strings.Cut(after, "/")
	if !ok || !long || !strings.Contains(arn, ":ecs:") || k.guard.Name(name) != nil {
		return kind.Resource{}, false, nil
	}
	found, err := k.describe(ctx, cluster, []string{name})
	if err != nil || len(found) == 0 {
		return kind.Resource{}, false, err
	}
	return found[0], true, nil
}

// Identify is the name: with the incarnation in it, it is used once.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.read(r)
	return spec.Name, err
}

// names are those of the cluster's services that are ours.
func (k *Kind) names(ctx context.Context, cluster string) ([]string, error) {
	var names []string
	pages := ecs.NewListServicesPaginator(k.client, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var noCluster *types.ClusterNotFoundException
		if errors.As(err, &noCluster) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list services: %w", err)
		}
		for _, arn := range page.ServiceArns {
			if name := arn[strings.LastIndex(arn, "/")+1:]; k.guard.Name(name) == nil {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// pageSize is the largest page of ListServices (botocore).
const pageSize = 100

// describe are the services of some names that still take traffic or run tasks.
func (k *Kind) describe(ctx context.Context, cluster string, names []string) ([]kind.Resource, error) {
	var found []kind.Resource
	for some := range slices.Chunk(names, batch) {
		out, err := k.client.DescribeServices(ctx, &ecs.DescribeServicesInput{
			Cluster: &cluster, Services: some, Include: []types.ServiceField{types.ServiceFieldTags},
		})
		var noCluster *types.ClusterNotFoundException
		if errors.As(err, &noCluster) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("describe %d services: %w", len(some), err)
		}
		for _, s := range out.Services {
			if !lives(s) {
				continue
			}
			r, err := resource(aws.ToString(s.ServiceName), cluster, aws.ToString(s.ServiceArn), tagMap(s.Tags))
			if err != nil {
				return nil, err
			}
			found = append(found, r)
		}
	}
	return found, nil
}

// families are those with active revisions that are ours.
func (k *Kind) families(ctx context.Context) ([]string, error) {
	var families []string
	pages := ecs.NewListTaskDefinitionFamiliesPaginator(k.client, &ecs.ListTaskDefinitionFamiliesInput{
		FamilyPrefix: aws.String(k.guard.Prefix + "-"), Status: types.TaskDefinitionFamilyStatusActive,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list families of task definitions: %w", err)
		}
		for _, family := range page.Families {
			if k.guard.Name(family) == nil {
				families = append(families, family)
			}
		}
	}
	return families, nil
}

// tagsOf are those of the newest revision of a family.
func (k *Kind) tagsOf(ctx context.Context, family string) (map[string]string, error) {
	revisions, err := k.revisions(ctx, family, types.TaskDefinitionStatusActive)
	if err != nil || len(revisions) == 0 {
		return nil, err
	}
	_, tags, err := k.content(ctx, revisions[0])
	return tags, err
}

// resource has what a removal goes by: the name, and the cluster.
func resource(name, cluster, id string, tags map[string]string) (kind.Resource, error) {
	return kind.Found(Spec{
		Name: name, TaskDefinition: ecs.RegisterTaskDefinitionInput{Family: &name},
		Service: ecs.CreateServiceInput{ServiceName: &name, Cluster: &cluster},
	}, name, id, tags)
}

// lives tells whether a service takes traffic or runs tasks.
func lives(s types.Service) bool {
	status := aws.ToString(s.Status)
	return status == active || status == draining && s.RunningCount+s.PendingCount > 0
}
