package life

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// watched are the environments that are taken away if their test fails, by test.
var watched sync.Map

// tidy takes an environment away if the test fails, so that what the test left does
// not fail the next one.
func tidy(t testing.TB, label string) {
	t.Helper()
	if _, known := watched.LoadOrStore(t.Name()+" "+label, true); known {
		return
	}
	t.Cleanup(func() {
		watched.Delete(t.Name() + " " + label)
		if !t.Failed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own is over
		defer cancel()
		if err := takeAway(ctx, personOf(t), channelOf(t), label); err != nil {
			t.Errorf("what the failed test left stays: %v", err)
		}
	})
}

// takeAway asks for a removal, and sweeps if that does not suffice, until nothing is
// there and nothing lives that might make it again.
func takeAway(ctx context.Context, who, where, label string) error {
	for {
		if _, err := world.Slack.Command(ctx, who, where, "/cleanupenv", label); err != nil && ctx.Err() != nil {
			return err
		}
		for range 10 {
			left, err := endpoint.Remains(ctx, label)
			if err == nil && len(left) == 0 && closed(ctx, label) {
				return nil
			}
			if ctx.Err() != nil {
				return fmt.Errorf("of %s there is still %v: %w", label, left, ctx.Err())
			}
			time.Sleep(time.Second)
		}
		if _, err := lambda.NewFromConfig(world.Config).Invoke(ctx, &lambda.InvokeInput{
			FunctionName: aws.String("reap"), Payload: []byte(`{}`),
		}); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
}

// closed tells that nothing works on an environment.
func closed(ctx context.Context, label string) bool {
	out, err := dynamodb.NewFromConfig(world.Config).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &world.Seeded.Table, Key: key(label, "ENVIRONMENT"), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return false
	}
	_, live := out.Item["live"]
	return !live
}
