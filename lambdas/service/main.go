// Command service is the function that runs and removes ECS services.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/lambdas/kinds/service"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.ResourceInput) (statemachine.ResourceOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Resource, cfg aws.Config) (run, error) {
		k := service.FromConfig(cfg, step.Guard(c.Names))
		s := step.NewResource("service", k, cfg, c)
		s.Await = k.Healthy
		s.ServesService("deploy")
		return s.Run, nil
	})
}
