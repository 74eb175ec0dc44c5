// Command rule is the one function that may create listener rules.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/lambdas/kinds/rule"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.ResourceInput) (statemachine.ResourceOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Resource, cfg aws.Config) (run, error) {
		k := rule.FromConfig(cfg, step.Guard(c.Names))
		s := step.NewResource("rule", k, cfg, c)
		return s.Run, nil
	})
}
