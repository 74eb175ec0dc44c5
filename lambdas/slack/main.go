// Command slack is the door: Slack's commands, forms and buttons.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
)

type run = func(context.Context, events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error)

func main() {
	boot.Start(func(_ context.Context, c config.Door, cfg aws.Config) (run, error) {
		door, err := step.NewDoor(cfg, c)
		if err != nil {
			return nil, err
		}
		return door.Handle, nil
	})
}
