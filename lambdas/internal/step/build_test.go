package step

import (
	"context"
	"log/slog"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

func TestABuildIsTriedAgainWhenAWSIsBusyAndFailsWhenItRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		code, want string
		state      record.ServiceState
	}{
		"throttled": {"ThrottlingException", statemachine.ErrThrottled, record.ServiceQueued},
		"refused":   {"AccessDeniedException", statemachine.ErrInternal, record.ServiceFailed},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := awstest.Config(t)
			client, table := awstest.Table(t, cfg)
			records := record.New(client, table)
			if _, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
				env.State, env.Revision, env.Wanted = record.Building, 1, request.Wanted{Commit: "abcd123"}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := records.SetService(t.Context(), "pr1", "service1", 1, func(row *record.Service) {
				row.State, row.Commit = record.ServiceQueued, "abcd123"
			}); err != nil {
				t.Fatal(err)
			}
			build := &Build{
				Config: config.Build{Registry: "registry/pv"}, Records: records, ECR: ecr.NewFromConfig(cfg), Log: slog.New(slog.DiscardHandler),
				Services: func(context.Context, ...string) (map[string]catalog.Service, error) {
					return map[string]catalog.Service{"service1": {}}, nil
				},
			}
			awstest.Fail(t, "ecr:BatchGetImage", &smithy.GenericAPIError{Code: c.code})
			err := build.Run(t.Context(), statemachine.BuildInput{Environment: "pr1", Revision: 1, Service: "service1", TaskToken: "token"})
			if got := fault.NameOf(err); got != c.want {
				t.Errorf("Run = %v, of the name %s, want %s", err, got, c.want)
			}
			life, _, err := records.Load(t.Context(), "pr1")
			if err != nil || len(life.Services) != 1 || life.Services[0].State != c.state {
				t.Errorf("the service's row is %+v, %v, want %s", life.Services, err, c.state)
			}
		})
	}
}

// late is a registry that shows an image after so many looks.
type late int

func (l *late) BatchGetImage(context.Context, *ecr.BatchGetImageInput, ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error) {
	if *l--; *l > 0 {
		return &ecr.BatchGetImageOutput{}, nil
	}
	return &ecr.BatchGetImageOutput{Images: []ecrtypes.Image{{}}}, nil
}

func TestAnImageIsLookedForAgainBeforeABuildIsSaidToHavePushedNone(t *testing.T) {
	registry := late(2)
	build := &Build{Config: config.Build{Registry: "registry/pv"}, ECR: &registry}
	if there, err := build.left(t.Context(), job{Service: "service1", Commit: "abcd123"}, result{}); !there || err != nil {
		t.Errorf("left = %v, %v", there, err)
	}
}
