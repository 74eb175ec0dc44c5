// Command reap is the reaper: the scheduled function that removes what should not be there.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
)

type run = func(context.Context, step.ReapInput) (step.ReapOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Reap, cfg aws.Config) (run, error) {
		return step.NewReap(cfg, c).Run, nil
	})
}
