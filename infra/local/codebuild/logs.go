package codebuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Bounds of a batch, below those of PutLogEvents (10,000 events, 1 MiB).
const (
	batchEvents = 1000
	batchEvery  = 500 * time.Millisecond
	flushWithin = 5 * time.Second
	maxEvent    = 200 << 10
)

// buildLog takes a build's output and keeps it in a file and in CloudWatch Logs.
type buildLog struct {
	client        *cloudwatchlogs.Client
	group, stream string

	mu      sync.Mutex
	file    *os.File
	partial []byte
	events  []types.InputLogEvent

	stop chan struct{}
	done chan struct{}
}

func openLog(ctx context.Context, client *cloudwatchlogs.Client, state logState, path string) (*buildLog, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	l := &buildLog{
		client: client, group: state.GroupName, stream: state.StreamName, file: file,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := l.create(ctx); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go l.ship()
	return l, nil
}

func (l *buildLog) create(ctx context.Context) error {
	_, err := l.client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &l.group})
	if _, exists := errors.AsType[*types.ResourceAlreadyExistsException](err); err != nil && !exists {
		return fmt.Errorf("create log group %s: %w", l.group, err)
	}
	_, err = l.client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &l.group, LogStreamName: &l.stream})
	if err != nil {
		return fmt.Errorf("create log stream %s: %w", l.stream, err)
	}
	return nil
}

// Write takes output, of which each line becomes an event.
func (l *buildLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte{'\n'})
		if !found && len(l.partial) < maxEvent {
			break
		}
		if !found || len(line) > maxEvent {
			line, rest = l.partial[:maxEvent], l.partial[maxEvent:]
		}
		l.add(line)
		l.partial = append([]byte(nil), rest...)
	}
	return l.file.Write(p)
}

func (l *buildLog) add(line []byte) {
	l.events = append(l.events, types.InputLogEvent{
		Message: aws.String(string(line) + "\n"), Timestamp: aws.Int64(time.Now().UnixMilli()),
	})
}

// say writes a line of CodeBuild's own.
func (l *buildLog) say(format string, args ...any) {
	stamp := time.Now().UTC().Format("2006/01/02 15:04:05.000000")
	_, _ = fmt.Fprintf(l, "[Container] %s "+format+"\n", append([]any{stamp}, args...)...)
}

// close ships the rest and ends.
func (l *buildLog) close() error {
	close(l.stop)
	<-l.done
	l.mu.Lock()
	if len(l.partial) > 0 {
		l.add(l.partial)
		l.partial = nil
	}
	l.mu.Unlock()
	l.flush()
	return l.file.Close()
}

func (l *buildLog) ship() {
	defer close(l.done)
	tick := time.NewTicker(batchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.flush()
		case <-l.stop:
			return
		}
	}
}

// flush ships what there is. It has a context of its own, because the last lines
// of a build that was stopped are wanted too.
func (l *buildLog) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	for {
		l.mu.Lock()
		batch, size := 0, 0
		for batch < min(len(l.events), batchEvents) && size < maxEvent {
			size += len(*l.events[batch].Message)
			batch++
		}
		events := l.events[:batch]
		l.events = l.events[batch:]
		l.mu.Unlock()
		if batch == 0 {
			return
		}
		_, err := l.client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &l.group, LogStreamName: &l.stream, LogEvents: events})
		if err != nil {
			slog.Error("put log events", "group", l.group, "stream", l.stream, "error", err)
			return
		}
	}
}
