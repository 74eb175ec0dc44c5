package service

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/internal/kind"
)

// Owned tells whether the service, and every active revision of its family, bears
// the tags of the environment.
func (k *Kind) Owned(ctx context.Context, r kind.Resource) error {
	spec, found, err := k.living(ctx, r)
	if err != nil {
		return err
	}
	if found != nil {
		if err := k.owns(r, *found); err != nil {
			return err
		}
	}
	_, err = k.mine(ctx, r, spec.Name, types.TaskDefinitionStatusActive)
	return err
}

func (k *Kind) owns(r kind.Resource, s types.Service) error {
	return k.guard.Owns("service "+aws.ToString(s.ServiceName), tagMap(s.Tags), r.Environment)
}

// mine are the revisions of the family that bear the tags of the environment. One
// that does not is a fault named statemachine.ErrForbidden, beside those that do.
func (k *Kind) mine(ctx context.Context, r kind.Resource, family string, status types.TaskDefinitionStatus) ([]string, error) {
	all, err := k.revisions(ctx, family, status)
	if err != nil {
		return nil, err
	}
	var mine []string
	var foreign error
	for _, arn := range all {
		_, tags, err := k.content(ctx, arn)
		if err != nil {
			return nil, err
		}
		if err := k.guard.Owns("task definition "+arn, tags, r.Environment); err != nil {
			foreign = err
			continue
		}
		mine = append(mine, arn)
	}
	return mine, foreign
}
