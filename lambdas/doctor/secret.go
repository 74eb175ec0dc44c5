package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// secretNames are those that the functions read, below the prefix.
const (
	slackToken    = "slack-token" //nolint:gosec // a name
	signingSecret = "slack-signing-secret"
	gitHubToken   = "github-token" //nolint:gosec // a name
)

// secrets looks whether they are there. Their values are not read here.
func (d *doctor) secrets(ctx context.Context, s *sheet) {
	s.good("all three are there, below %s/", d.Prefix)
	each(ctx, []string{slackToken, signingSecret, gitHubToken}, func(name string) {
		name = d.Prefix + "/" + name
		out, err := d.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
		switch {
		case codeOf(err) == "ResourceNotFoundException":
			s.fails("secret-missing", name, "There is no such secret.", fmt.Sprintf("aws secretsmanager create-secret --name %s --secret-string … --region %s", name, d.region))
		case err != nil:
			s.unknown(name, err)
		case out.DeletedDate != nil:
			s.fails("secret-deleted", name, "It is about to be deleted, and cannot be read.", fmt.Sprintf("aws secretsmanager restore-secret --secret-id %s --region %s", name, d.region))
		case !current(out.VersionIdsToStages):
			s.fails("secret-empty", name, "It has no value.", fmt.Sprintf("aws secretsmanager put-secret-value --secret-id %s --secret-string … --region %s", name, d.region))
		}
	})
}

func current(versions map[string][]string) bool {
	for _, stages := range versions {
		if slices.Contains(stages, "AWSCURRENT") {
			return true
		}
	}
	return false
}

// token reads a token, if that is wished and allowed. It never stands in a finding.
func (d *doctor) token(ctx context.Context, s *sheet, name string) (string, bool) {
	if !d.Tokens {
		s.add(Finding{Name: "not-asked", Level: NotChecked, Seen: "its value was not to be read"})
		return "", false
	}
	id := d.Prefix + "/" + name
	out, err := d.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if codeOf(err) == "ResourceNotFoundException" {
		s.unknown("", elsewhere{"secrets"})
		return "", false
	}
	if err != nil {
		s.unknown("", err)
		return "", false
	}
	return strings.TrimSpace(aws.ToString(out.SecretString)), true
}
