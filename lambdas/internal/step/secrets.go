package step

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// secretNames tells what a secret is called; it never reads one.
type secretNames interface {
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// readSecrets finds the ARN of each secret that the overrides name as Secrets Manager
// lists it: ECS takes the full ARN of a secret, or the name of a parameter
// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html).
func (p *Planner) readSecrets(ctx context.Context, d *Draft) error {
	d.secrets = map[string]string{}
	var faults fault.List
	for _, name := range namedSecrets(d.wanted.Overrides) {
		arn, err := p.secretARN(ctx, name)
		if f := fault.As(err); f != nil {
			faults = append(faults, f)
			continue
		}
		if err != nil {
			return err
		}
		d.secrets[name] = arn
	}
	return faults.Err()
}

// namedSecrets are the secrets of all overrides that are no ARNs, each once.
func namedSecrets(overrides request.Overrides) []string {
	names := map[string]bool{}
	for _, variables := range overrides {
		for _, value := range variables {
			if value.Secret != "" && !strings.HasPrefix(value.Secret, "arn:") {
				names[value.Secret] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// secretARN is the ARN of a secret, or the name as it is for a path of Parameter Store.
func (p *Planner) secretARN(ctx context.Context, name string) (string, error) {
	out, err := p.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing) && strings.HasPrefix(name, "/"):
		return name, nil
	case errors.As(err, &missing):
		return "", noSecret("There is no secret %q in Secrets Manager.", name)
	case err != nil:
		return "", fmt.Errorf("look up secret %s: %w", name, err)
	case out.DeletedDate != nil:
		return "", noSecret("The secret %q is about to be deleted.", name)
	}
	return aws.ToString(out.ARN), nil
}

func noSecret(format, name string) *fault.Fault {
	return fault.New(statemachine.ErrBadRequest, format, name).In(request.FieldOverrides).
		WithNext("Name it as Secrets Manager lists it, or a parameter of Parameter Store by its path (/shop/db) or ARN.")
}
