// Package stream reads a DynamoDB table's stream and hands its records on in
// Lambda's event format, as an event source mapping does. It knows nothing of
// what the records say or who gets them.
package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	keytypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// The pace of a Poller: quick while there is something, slower when there was
// nothing for a while, because moto keeps every iterator that it ever made.
const (
	quick = 150 * time.Millisecond
	slow  = 500 * time.Millisecond
	idle  = 10 * time.Second
)

// A batch that fails is tried again attempts times in all, with a pause that
// begins at pause and doubles; then it is dropped, as a mapping with
// MaximumRetryAttempts does.
const (
	attempts = 5
	pause    = 100 * time.Millisecond
)

// batchSize is the default of a mapping for DynamoDB.
const batchSize = 100

// Poller hands the records of one table's stream on, from the oldest.
type Poller struct {
	config aws.Config
	table  string
	handle func(ctx context.Context, event []byte) error
	nudge  chan struct{}
	lanes  lanes
}

// New returns a poller of the stream of table, which has to be on. handle gets a
// batch of at most 100 records as the JSON of an events.DynamoDBEvent, in order,
// one at a time.
func New(config aws.Config, table string, handle func(ctx context.Context, event []byte) error) *Poller {
	return &Poller{config: config, table: table, handle: handle, nudge: make(chan struct{}, 1), lanes: lanes{shards: 1, factor: 1}}
}

// Poll runs a new poller until ctx ends.
func Poll(ctx context.Context, config aws.Config, table string, handle func(ctx context.Context, event []byte) error) error {
	return New(config, table, handle).Run(ctx)
}

// Spread makes the poller read as many shards, each with as many invocations at once
// as a mapping's ParallelizationFactor says, before it runs. Then only the changes of
// one partition key are in order, and above a factor of 1 those of one item.
func (p *Poller) Spread(shards, factor int) { p.lanes = lanes{shards: shards, factor: factor} }

// Nudge makes the poller look at once. It never blocks.
func (p *Poller) Nudge() {
	select {
	case p.nudge <- struct{}{}:
	default:
	}
}

// Run polls until ctx ends, which is no error, or the stream cannot be read.
func (p *Poller) Run(ctx context.Context) error {
	client := dynamodbstreams.NewFromConfig(p.config)
	arn, err := p.stream(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer p.lanes.group.Wait()
	defer cancel()
	p.lanes.start(ctx, func(records []types.Record) { p.deliver(ctx, arn, records) })
	iterators := map[string]*string{} // shard → next iterator; nil once the shard is read
	busy := time.Now()
	for ctx.Err() == nil {
		n, err := p.round(ctx, client, arn, iterators)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read stream of %s: %w", p.table, err)
		}
		if n > 0 {
			busy = time.Now()
			continue
		}
		wait := quick
		if time.Since(busy) > idle {
			wait = slow
		}
		select {
		case <-ctx.Done():
		case <-p.nudge:
			busy = time.Now()
		case <-time.After(wait):
		}
	}
	return nil
}

func (p *Poller) stream(ctx context.Context) (string, error) {
	out, err := dynamodb.NewFromConfig(p.config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &p.table})
	if err != nil {
		return "", fmt.Errorf("describe table %s: %w", p.table, err)
	}
	if out.Table.LatestStreamArn == nil {
		return "", fmt.Errorf("table %s has no stream", p.table)
	}
	for _, key := range out.Table.KeySchema {
		if key.KeyType == keytypes.KeyTypeHash {
			p.lanes.partition = aws.ToString(key.AttributeName)
		}
	}
	return *out.Table.LatestStreamArn, nil
}

// round reads each shard once and returns how many records there were.
func (p *Poller) round(ctx context.Context, client *dynamodbstreams.Client, arn string, iterators map[string]*string) (int, error) {
	if len(iterators) == 0 {
		if err := open(ctx, client, arn, iterators); err != nil {
			return 0, err
		}
	}
	total, left := 0, 0
	for shard, iterator := range iterators {
		if iterator == nil {
			continue
		}
		out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(batchSize)})
		if err != nil {
			return total, fmt.Errorf("get records: %w", err)
		}
		total += len(out.Records)
		if len(out.Records) > 0 {
			p.lanes.take(out.Records)
		}
		iterators[shard] = out.NextShardIterator
		if out.NextShardIterator != nil {
			left++
		}
	}
	if left == 0 {
		// Every shard was closed: its children have to be found.
		return total, open(ctx, client, arn, iterators)
	}
	return total, nil
}

// open adds an iterator from the oldest record on for each shard that is new.
func open(ctx context.Context, client *dynamodbstreams.Client, arn string, iterators map[string]*string) error {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &arn}
	for {
		out, err := client.DescribeStream(ctx, in)
		if err != nil {
			return fmt.Errorf("describe stream: %w", err)
		}
		for _, shard := range out.StreamDescription.Shards {
			if _, known := iterators[*shard.ShardId]; known {
				continue
			}
			it, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
				StreamArn: &arn, ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
			})
			if err != nil {
				return fmt.Errorf("get shard iterator: %w", err)
			}
			iterators[*shard.ShardId] = it.ShardIterator
		}
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return nil
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// deliver hands a batch on until it is taken, or dropped.
func (p *Poller) deliver(ctx context.Context, arn string, records []types.Record) {
	drop := func(err error) {
		slog.ErrorContext(ctx, "drop batch of stream records", "table", p.table, "records", len(records), "attempts", attempts, "error", err)
	}
	event, err := convert(arn, records)
	if err != nil {
		drop(err)
		return
	}
	payload, err := json.Marshal(event)
	if err != nil {
		drop(err)
		return
	}
	wait := pause
	for attempt := 1; ; attempt++ {
		err := p.handle(ctx, payload)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == attempts {
			drop(err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			wait *= 2
		}
	}
}
