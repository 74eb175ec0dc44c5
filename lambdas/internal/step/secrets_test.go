package step

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// TestASecretIsGivenToECSAsItTakesOne has overrides that name a secret in each way, with
// the Secrets Manager of the emulator.
func TestASecretIsGivenToECSAsItTakesOne(t *testing.T) {
	client := secretsmanager.NewFromConfig(awstest.Config(t))
	made, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("shop/db"), SecretString: aws.String("x")})
	if err != nil {
		t.Fatal(err)
	}
	full := aws.ToString(made.ARN)
	tests := []struct{ rule, named, want, refused string }{
		{"its name becomes its full ARN", "shop/db", full, ""},
		{"its ARN stays", full, full, ""},
		{"so does one field of it", full + ":password::", full + ":password::", ""},
		{"a parameter's path stays", "/shop/db", "/shop/db", ""},
		{"a parameter's ARN stays", "arn:aws:ssm:us-east-1:123456789012:parameter/shop/db", "arn:aws:ssm:us-east-1:123456789012:parameter/shop/db", ""},
		{"a name that is none is refused", "shop/bd", "", `There is no secret "shop/bd" in Secrets Manager. Name it as`},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			d := draftOf(1)
			d.wanted.Overrides = request.Overrides{"service1": {"DB": {Secret: test.named}}}
			err := (&Planner{Secrets: client}).readSecrets(t.Context(), d)
			if test.refused != "" {
				if f := fault.As(err); !fault.Is(err, statemachine.ErrBadRequest) || !strings.Contains(err.Error(), test.refused) || f.Field != request.FieldOverrides {
					t.Errorf("got %v, want %q", err, test.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, secrets := d.variables(record.Environment{Name: "pr1"}, "service1", d.backends["service1"])
			if secrets["DB"] != test.want {
				t.Errorf("ECS gets %q, want %q", secrets["DB"], test.want)
			}
		})
	}
}

type describes func() (*secretsmanager.DescribeSecretOutput, error)

func (d describes) DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	return d()
}

func TestASecretThatCannotBeLookedUp(t *testing.T) {
	broken := errors.New("throttled")
	for rule, c := range map[string]struct {
		answer describes
		fault  string
	}{
		"one that is about to be deleted is refused": {func() (*secretsmanager.DescribeSecretOutput, error) {
			return &secretsmanager.DescribeSecretOutput{DeletedDate: aws.Time(time.Now())}, nil
		}, "about to be deleted"},
		"one that is not there is refused": {func() (*secretsmanager.DescribeSecretOutput, error) {
			return nil, &types.ResourceNotFoundException{}
		}, "There is no secret"},
		"any other error is no fault of the request": {func() (*secretsmanager.DescribeSecretOutput, error) { return nil, broken }, ""},
	} {
		t.Run(rule, func(t *testing.T) {
			d := draftOf(1)
			d.wanted.Overrides = request.Overrides{"service1": {"DB": {Secret: "shop/db"}}}
			err := (&Planner{Secrets: c.answer}).readSecrets(t.Context(), d)
			if c.fault == "" && !errors.Is(err, broken) || c.fault != "" && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v", err)
			}
		})
	}
}
