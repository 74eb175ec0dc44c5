package service

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

// hashTag is the tag of a task definition that tells its content.
const hashTag = "ContentHash"

// recent bounds how many revisions are compared with what is wanted: enough to go
// back to the last good one, few enough for the budget of describe calls.
const recent = 5

// batch is how many revisions one DeleteTaskDefinitions takes (botocore).
const batch = 10

// definition is the ARN of an active revision with the wanted content; registering
// is the tightest limit of ECS (20 at once, then one a second), so it comes last.
func (k *Kind) definition(ctx context.Context, r kind.Resource, want Spec) (string, error) {
	hash, err := contentHash(want.TaskDefinition)
	if err != nil {
		return "", err
	}
	// A family of somebody else gets no revision of ours.
	found, err := k.revision(ctx, want.Name, hash, func(arn string, tags map[string]string) error {
		return k.guard.Owns("task definition "+arn, tags, r.Environment)
	})
	if err != nil || found != nil {
		return aws.ToString(taskDefinitionARN(found)), err
	}
	in := want.TaskDefinition
	in.Tags = append(tagList(r.Tags), types.Tag{Key: aws.String(hashTag), Value: &hash})
	out, err := k.client.RegisterTaskDefinition(ctx, &in)
	if err != nil {
		return "", fmt.Errorf("register task definition %s: %w", want.Name, err)
	}
	slog.InfoContext(ctx, "task definition registered", "env", r.Environment, "kind", "service", "name", want.Name)
	return aws.ToString(out.TaskDefinition.TaskDefinitionArn), nil
}

// revision is the newest of the recent active revisions with the content, or nil.
// Every one that it looks at has to pass.
func (k *Kind) revision(ctx context.Context, family, hash string, pass func(arn string, tags map[string]string) error) (*types.TaskDefinition, error) {
	arns, err := k.revisions(ctx, family, types.TaskDefinitionStatusActive)
	if err != nil {
		return nil, err
	}
	for _, arn := range arns[:min(recent, len(arns))] {
		definition, tags, err := k.content(ctx, arn)
		if err == nil {
			err = pass(arn, tags)
		}
		if err != nil || tags[hashTag] == hash {
			return definition, err
		}
	}
	return nil, nil
}

// content is a task definition with its tags.
func (k *Kind) content(ctx context.Context, arn string) (*types.TaskDefinition, map[string]string, error) {
	out, err := k.client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
		TaskDefinition: &arn, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("describe task definition %s: %w", arn, err)
	}
	return out.TaskDefinition, tagMap(out.Tags), nil
}

// revisions are the ARNs of exactly the family, newest first.
func (k *Kind) revisions(ctx context.Context, family string, status types.TaskDefinitionStatus) ([]string, error) {
	var arns []string
	pages := ecs.NewListTaskDefinitionsPaginator(k.client, &ecs.ListTaskDefinitionsInput{FamilyPrefix: &family, Status: status})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list task definitions %s: %w", family, err)
		}
		for _, arn := range page.TaskDefinitionArns {
			if name, _ := split(arn); name == family {
				arns = append(arns, arn)
			}
		}
	}
	slices.SortFunc(arns, func(a, b string) int {
		_, first := split(a)
		_, second := split(b)
		return cmp.Compare(second, first)
	})
	return arns, nil
}

// forget deregisters and deletes every revision of the family. Those that were
// deregistered before an earlier run died are found among the inactive ones. A
// revision of somebody else stays, and is told once ours are gone.
func (k *Kind) forget(ctx context.Context, r kind.Resource, family string) error {
	live, foreign := k.mine(ctx, r, family, types.TaskDefinitionStatusActive)
	if foreign != nil && !fault.Is(foreign, statemachine.ErrForbidden) {
		return foreign
	}
	for _, arn := range live {
		if _, err := k.client.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &arn}); err != nil {
			return fmt.Errorf("deregister task definition %s: %w", arn, err)
		}
	}
	dead, err := k.mine(ctx, r, family, types.TaskDefinitionStatusInactive)
	if err != nil && !fault.Is(err, statemachine.ErrForbidden) {
		return err
	}
	for _, arn := range live {
		if !slices.Contains(dead, arn) {
			dead = append(dead, arn)
		}
	}
	for some := range slices.Chunk(dead, batch) {
		out, err := k.client.DeleteTaskDefinitions(ctx, &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: some})
		if err != nil {
			return fmt.Errorf("delete task definitions %s: %w", family, err)
		}
		if len(out.Failures) > 0 {
			first := out.Failures[0]
			return fault.New(statemachine.ErrNotYet, "The task definition %s cannot be deleted yet: %s.",
				aws.ToString(first.Arn), aws.ToString(first.Reason))
		}
		slog.InfoContext(ctx, "task definitions deleted", "env", r.Environment, "kind", "service", "name", family, "count", len(some))
	}
	return foreign
}

// contentHash tells two task definitions apart whatever their tags.
func contentHash(in ecs.RegisterTaskDefinitionInput) (string, error) {
	in.Tags = nil
	data, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("encode task definition: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}

// split is the family and the revision of …:task-definition/family:revision.
func split(arn string) (family string, revision int) {
	_, name, _ := strings.Cut(arn, "task-definition/")
	family, number, _ := strings.Cut(name, ":")
	revision, err := strconv.Atoi(number)
	if err != nil {
		return "", 0
	}
	return family, revision
}

func taskDefinitionARN(definition *types.TaskDefinition) *string {
	if definition == nil {
		return nil
	}
	return definition.TaskDefinitionArn
}

func tagMap(tags []types.Tag) map[string]string {
	m := map[string]string{}
	for _, tag := range tags {
		m[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return m
}

func tagList(tags map[string]string) []types.Tag {
	var list []types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}
