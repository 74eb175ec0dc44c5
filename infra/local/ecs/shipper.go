package ecs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

const (
	shipEvery = 500 * time.Millisecond
	// One PutLogEvents takes 10,000 events and 1 MB, an event its message and 26
	// bytes (docs, PutLogEvents). More does not wait of one stream, either.
	eventsLimit = 10_000
	bytesLimit  = 1 << 20
	eventBytes  = 26
)

type stream struct{ group, name string }

// shipper brings lines to CloudWatch Logs, by batches.
type shipper struct {
	client *cloudwatchlogs.Client
	log    *slog.Logger
	now    chan struct{}

	mu      sync.Mutex
	waiting map[stream][]types.InputLogEvent
	made    map[stream]bool // only run uses it
}

func newShipper(client *cloudwatchlogs.Client, log *slog.Logger) *shipper {
	return &shipper{
		client: client, log: log, now: make(chan struct{}, 1),
		waiting: map[stream][]types.InputLogEvent{}, made: map[stream]bool{},
	}
}

func (s *shipper) add(to stream, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting[to]) < eventsLimit {
		s.waiting[to] = append(s.waiting[to], types.InputLogEvent{
			Message: &line, Timestamp: aws.Int64(time.Now().UnixMilli()),
		})
	}
}

// flush has what waits sent at once.
func (s *shipper) flush() {
	select {
	case s.now <- struct{}{}:
	default:
	}
}

func (s *shipper) run(ctx context.Context) {
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.now:
		case <-tick.C:
		}
		s.mu.Lock()
		waiting := s.waiting
		s.waiting = map[stream][]types.InputLogEvent{}
		s.mu.Unlock()
		for to, events := range waiting {
			if err := s.put(ctx, to, events); err != nil && ctx.Err() == nil {
				s.log.Warn("send logs", "group", to.group, "stream", to.name, "error", err)
			}
		}
	}
}

func (s *shipper) put(ctx context.Context, to stream, events []types.InputLogEvent) error {
	if err := s.ensure(ctx, to); err != nil {
		return err
	}
	for len(events) > 0 {
		n := min(len(events), batch(events))
		_, err := s.client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{
			LogGroupName: &to.group, LogStreamName: &to.name, LogEvents: events[:n],
		})
		if missing := new(types.ResourceNotFoundException); errors.As(err, &missing) {
			delete(s.made, to)
		}
		if err != nil {
			return fmt.Errorf("put log events: %w", err)
		}
		events = events[n:]
	}
	return nil
}

// batch is how many of the events one call takes.
func batch(events []types.InputLogEvent) int {
	size := 0
	for i, e := range events {
		if size += len(*e.Message) + eventBytes; size > bytesLimit {
			return i
		}
	}
	return eventsLimit
}

// ensure makes a group and its stream, which ECS finds or, if the task may, makes.
func (s *shipper) ensure(ctx context.Context, to stream) error {
	if s.made[to] {
		return nil
	}
	exists := new(types.ResourceAlreadyExistsException)
	_, err := s.client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &to.group})
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("create log group: %w", err)
	}
	_, err = s.client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &to.group, LogStreamName: &to.name})
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("create log stream: %w", err)
	}
	s.made[to] = true
	return nil
}
