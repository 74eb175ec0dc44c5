// Command build is the function that starts builds, and is told of their end by EventBridge.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
	"previewenv/statemachine"
)

type run = func(context.Context, json.RawMessage) (any, error)

func main() {
	boot.Start(func(_ context.Context, c config.Build, cfg aws.Config) (run, error) {
		build, err := step.NewBuild(cfg, c)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, in json.RawMessage) (any, error) {
			var event step.BuildEvent
			if json.Unmarshal(in, &event) == nil && event.DetailType != "" {
				return nil, build.Ended(ctx, event)
			}
			return boot.Decode(ctx, in, func(ctx context.Context, in statemachine.BuildInput) (any, error) {
				return nil, build.Run(ctx, in)
			})
		}, nil
	})
}
