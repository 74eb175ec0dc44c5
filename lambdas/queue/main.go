// Command queue is the function that makes and removes queues.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/lambdas/kinds/queue"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.ResourceInput) (statemachine.ResourceOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Resource, cfg aws.Config) (run, error) {
		k := queue.FromConfig(cfg, step.Guard(c.Names))
		s := step.NewResource("queue", k, cfg, c)
		return s.Run, nil
	})
}
