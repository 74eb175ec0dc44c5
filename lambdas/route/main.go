// Command route is the function that tells the edge of an environment, and sees that it answers.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/lambdas/kinds/route"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.ResourceInput) (statemachine.ResourceOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Resource, cfg aws.Config) (run, error) {
		k := route.FromConfig(cfg, step.Guard(c.Names))
		s := step.NewResource("route", k, cfg, c)
		s.Open, s.Await, s.Close = k.Open, k.Answers, k.Close
		s.MakesReady()
		return s.Run, nil
	})
}
