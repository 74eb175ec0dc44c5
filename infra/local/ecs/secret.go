package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// resolve makes NAME=value of a container's secrets. An error names the secret,
// never its value.
func (a *Agent) resolve(ctx context.Context, secrets []types.Secret) ([]string, error) {
	var env []string
	for _, s := range secrets {
		value, err := a.secret(ctx, aws.ToString(s.ValueFrom))
		if err != nil {
			return nil, fmt.Errorf("resolve secret %s: %w", aws.ToString(s.Name), err)
		}
		env = append(env, aws.ToString(s.Name)+"="+value)
	}
	return env, nil
}

// secret reads a parameter, by name or ARN, or a Secrets Manager secret, whose
// ARN may be followed by :key:stage:version (docs, specifying-sensitive-data).
func (a *Agent) secret(ctx context.Context, from string) (string, error) {
	parts := strings.Split(from, ":")
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		return a.parameter(ctx, from)
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(strings.Join(parts[:7], ":"))}
	rest := append(parts[7:], "", "", "")
	if rest[1] != "" {
		in.VersionStage = &rest[1]
	}
	if rest[2] != "" {
		in.VersionId = &rest[2]
	}
	out, err := a.secrets.GetSecretValue(ctx, in)
	if err != nil {
		return "", fmt.Errorf("get secret value %s: %w", *in.SecretId, err)
	}
	value := aws.ToString(out.SecretString)
	if out.SecretString == nil {
		value = string(out.SecretBinary)
	}
	key := rest[0]
	if key == "" {
		return value, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &fields) != nil || fields[key] == nil {
		return "", fmt.Errorf("retrieved secret %s did not contain json key %s", *in.SecretId, key)
	}
	var text string
	if json.Unmarshal(fields[key], &text) != nil {
		text = string(fields[key])
	}
	return text, nil
}

func (a *Agent) parameter(ctx context.Context, from string) (string, error) {
	name := from
	if _, path, ok := strings.Cut(from, ":parameter/"); ok {
		name = path
		// The ARN of /a/b is parameter/a/b, that of b is parameter/b.
		if strings.Contains(path, "/") {
			name = "/" + path
		}
	}
	out, err := a.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return "", fmt.Errorf("get parameter %s: %w", name, err)
	}
	return aws.ToString(out.Parameter.Value), nil
}
