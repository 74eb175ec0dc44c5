// Command notify is the function that shows changes of the table in Slack.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/boot"
	"previewenv/lambdas/internal/step"
)

type run = func(context.Context, events.DynamoDBEvent) (any, error)

func main() {
	boot.Start(func(_ context.Context, c config.Notify, cfg aws.Config) (run, error) {
		notify := step.NewNotify(cfg, c)
		return func(ctx context.Context, event events.DynamoDBEvent) (any, error) {
			return nil, notify.Run(ctx, event)
		}, nil
	})
}
