// Command targetgroup is the function that makes and removes target groups.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/lambdas/kinds/targetgroup"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.ResourceInput) (statemachine.ResourceOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Resource, cfg aws.Config) (run, error) {
		k := targetgroup.FromConfig(cfg, step.Guard(c.Names))
		s := step.NewResource("targetgroup", k, cfg, c)
		s.Tune = k.Tune
		return s.Run, nil
	})
}
