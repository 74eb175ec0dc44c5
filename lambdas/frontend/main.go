// Command frontend is the function that uploads and removes frontend builds.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.ResourceInput) (statemachine.ResourceOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Resource, cfg aws.Config) (run, error) {
		k := frontend.FromConfig(cfg, step.Guard(c.Names))
		s := step.NewResource("frontend", k, cfg, c)
		s.ServesService("upload")
		return s.Run, nil
	})
}
