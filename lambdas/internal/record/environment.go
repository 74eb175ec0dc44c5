package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// tries bounds how often a write starts anew because another came first. The
// writers of one environment are a door, an execution and notify, so a handful
// would do; the bound is against a defect, not against load.
const tries = 25

// Get reads an environment's record; ok is false when there never was one.
func (s *Store) Get(ctx context.Context, name string) (env Environment, ok bool, err error) {
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Table, Key: key(name, environmentItem), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return env, false, fmt.Errorf("read record %s: %w", name, err)
	}
	if len(out.Item) == 0 {
		return env, false, nil
	}
	if err := env.read(out.Item); err != nil {
		return env, false, fmt.Errorf("decode record %s: %w", name, err)
	}
	return env, true, nil
}

// Change reads the record of an environment (a zero one if there is none), lets
// change alter it, and writes it if nobody else has meanwhile; otherwise it starts
// anew. An error of change ends it without a write, ErrUnchanged without an error.
func (s *Store) Change(ctx context.Context, name string, change func(env *Environment) error) (Environment, error) {
	for range tries {
		env, ok, err := s.Get(ctx, name)
		if err != nil {
			return env, err
		}
		if !ok {
			env = Environment{Name: name, Item: environmentItem}
		}
		state := env.State
		if err := change(&env); errors.Is(err, ErrUnchanged) {
			return env, nil
		} else if err != nil {
			return env, err
		}
		if env.State != state {
			env.StateSince = s.Now().Unix()
		}
		err = s.put(ctx, &env)
		if conflict(err) {
			continue
		}
		return env, err
	}
	return Environment{}, fault.New(statemachine.ErrUnavailable, "the record of %s is written by too many at once", name)
}

// ErrUnchanged ends a Change that has nothing to write.
var ErrUnchanged = errors.New("nothing to change")

// Fence reads the record and refuses an execution whose revision is not the
// newest, or whose environment is no longer wanted (law 4).
func (s *Store) Fence(ctx context.Context, name string, revision int) (Environment, error) {
	env, ok, err := s.Get(ctx, name)
	if err != nil {
		return env, err
	}
	if !ok {
		return env, Superseded(name, revision, "its record is not there")
	}
	return env, env.Fenced(revision)
}

// Fenced is the fault of an execution that may not change the environment, or nil.
func (e *Environment) Fenced(revision int) error {
	if e.Revision != revision {
		return Superseded(e.Name, revision, fmt.Sprintf("revision %d was asked for", e.Revision))
	}
	if !e.State.Live() {
		return Superseded(e.Name, revision, "it is "+string(e.State))
	}
	return nil
}

// Superseded is the fault of a step that came too late.
func Superseded(name string, revision int, why string) error {
	return fault.New(statemachine.ErrSuperseded, "revision %d of %s is no longer wanted: %s.", revision, name, why)
}

// Close marks the environment as closed: out of the indexes, and forgotten after
// a month.
func (s *Store) Close(env *Environment, state State) {
	now := s.Now()
	env.State, env.ClosedAt, env.TTL = state, now.Unix(), now.Add(kept).Unix()
	env.Live, env.Commit, env.TaskToken = "", "", ""
	if env.Channel != "" {
		env.Live = unshown
	}
}

// Values of the key of the index "live". A closed environment stays in it until its end
// was shown: no other change of it will come.
const (
	lives   = "yes"
	unshown = "unshown"
)

// EndShown notes that the end of a closed environment was shown.
func (e *Environment) EndShown() {
	if e.Live == unshown {
		e.Live = ""
	}
}

// put writes the record over the version that was read.
func (s *Store) put(ctx context.Context, env *Environment) error {
	put, err := s.over(env)
	if err != nil {
		return err
	}
	if _, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: put.TableName, Item: put.Item,
		ConditionExpression: put.ConditionExpression, ExpressionAttributeValues: put.ExpressionAttributeValues,
	}); err != nil {
		return fmt.Errorf("write record %s: %w", env.Name, err)
	}
	return nil
}

// over is the write of the next version of a record, if nobody else has written it.
func (s *Store) over(env *Environment) (types.Put, error) {
	read := env.Version
	env.Version++
	item, err := encode(env, env.others)
	if err != nil {
		return types.Put{}, fmt.Errorf("encode record %s: %w", env.Name, err)
	}
	put := types.Put{TableName: &s.Table, Item: item, ConditionExpression: aws.String("attribute_not_exists(environment)")}
	if read > 0 {
		put.ConditionExpression = aws.String("version = :read")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(read)}
	}
	return put, nil
}

// conflict tells that a condition did not hold, alone or in a transaction, or that
// two transactions met.
func conflict(err error) bool {
	var failed *types.ConditionalCheckFailedException
	var cancelled *types.TransactionCanceledException
	switch {
	case errors.As(err, &failed):
		return true
	case errors.As(err, &cancelled):
		return slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool {
			code := aws.ToString(r.Code)
			return code == "ConditionalCheckFailed" || code == "TransactionConflict"
		})
	}
	return false
}

func key(environment, item string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"environment": text(environment), "item": text(item)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

// Cost is what the environment's tasks have cost until now, in US dollars.
func (e *Environment) Cost(now time.Time) float64 {
	until := now
	if e.ClosedAt > 0 {
		until = time.Unix(e.ClosedAt, 0)
	}
	return e.CostPerHour * until.Sub(e.CreatedAt).Hours()
}
