// Command hold is the function that keeps an environment until its deadline.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.HoldInput) (statemachine.HoldOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.Hold, cfg aws.Config) (run, error) {
		return step.NewHold(cfg, c).Run, nil
	})
}
