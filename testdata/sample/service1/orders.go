package main

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const (
	// kept is how many bodies are listed, so that memory has a bound.
	kept = 100
	// pause after a failed receive, so that a queue that is gone costs one call a second.
	pause = time.Second
	// receipt is put before every order that was consumed.
	receipt = ""
)

// orders consumes one queue and remembers the bodies.
type orders struct {
	url    string
	mu     sync.Mutex
	bodies []string
}

func (o *orders) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string{}, o.bodies...)
}

func (o *orders) add(body string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bodies = append(o.bodies, receipt+body)
	o.bodies = slices.Delete(o.bodies, 0, max(0, len(o.bodies)-kept))
}

// consume receives until ctx ends.
func (o *orders) consume(ctx context.Context) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		slog.Error("load AWS configuration", "error", err)
		return
	}
	client := sqs.NewFromConfig(cfg)
	for ctx.Err() == nil {
		if err := o.receive(ctx, client); err != nil && ctx.Err() == nil {
			slog.Warn("consume orders", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

func (o *orders) receive(ctx context.Context, client *sqs.Client) error {
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &o.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
	})
	if err != nil {
		return err
	}
	for _, m := range out.Messages {
		o.add(aws.ToString(m.Body))
		slog.Info("order consumed", "id", aws.ToString(m.MessageId))
		if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &o.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return err
		}
	}
	return nil
}
