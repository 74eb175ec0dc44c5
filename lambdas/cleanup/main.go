// Command cleanup is the function that says what is to be removed next, and writes the receipt.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/statemachine"
)

type run = func(context.Context, statemachine.CleanUpInput) (statemachine.CleanUpOutput, error)

func main() {
	boot.Start(func(_ context.Context, c config.CleanUp, cfg aws.Config) (run, error) {
		return step.NewCleanUp(cfg, c).Run, nil
	})
}
