package stream

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// lanes are the queues of records that are worked off side by side, each in order.
type lanes struct {
	shards, factor int
	partition      string // name of the key's first part

	all   []*lane
	group sync.WaitGroup
}

// lane is one queue.
type lane struct {
	mu      sync.Mutex
	waiting []types.Record
	wake    chan struct{}
}

// start begins to work the queues off until ctx ends.
func (l *lanes) start(ctx context.Context, deliver func([]types.Record)) {
	for range l.shards * l.factor {
		one := &lane{wake: make(chan struct{}, 1)}
		l.all = append(l.all, one)
		l.group.Go(func() {
			for ctx.Err() == nil {
				if batch := one.batch(); len(batch) > 0 {
					deliver(batch)
					continue
				}
				select {
				case <-ctx.Done():
				case <-one.wake:
				}
			}
		})
	}
}

func (l *lane) batch() []types.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), batchSize)
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return batch
}

// take hands each record to its queue.
func (l *lanes) take(records []types.Record) {
	for _, r := range records {
		one := l.all[l.of(r)]
		one.mu.Lock()
		one.waiting = append(one.waiting, r)
		one.mu.Unlock()
		select {
		case one.wake <- struct{}{}:
		default:
		}
	}
}

// of is the queue of a record: its partition key says the shard, its whole key which of
// the shard's.
func (l *lanes) of(r types.Record) int {
	if r.Dynamodb == nil {
		return 0
	}
	var values []string
	for _, name := range slices.Sorted(maps.Keys(r.Dynamodb.Keys)) {
		if s, ok := r.Dynamodb.Keys[name].(*types.AttributeValueMemberS); ok {
			values = append(values, s.Value)
		}
	}
	partition, _ := r.Dynamodb.Keys[l.partition].(*types.AttributeValueMemberS)
	if partition == nil {
		return 0
	}
	return spread(l.shards, partition.Value)*l.factor + spread(l.factor, values...)
}

func spread(n int, values ...string) int {
	sum := sha256.Sum256([]byte(strings.Join(values, "\x00")))
	return int(sum[0]) % n
}
