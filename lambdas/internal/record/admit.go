package record

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// admissions is the row of one limit that counts who was let in. Where a limit is
// near, a new life is written in one transaction with it, so that of two that counted
// the same last place one counts again.
type admissions struct {
	Key      string `dynamodbav:"environment"`
	Item     string `dynamodbav:"item"`
	Admitted int    `dynamodbav:"admitted"`
	// Recent are the last lives that were let in, with the Unix seconds: the index,
	// which says what lives, may not have them yet.
	Recent map[string]int64 `dynamodbav:"recent"`
}

const (
	admissionsItem = "ADMISSIONS"
	// everybody is the limit of the whole installation.
	everybody = "all"
	// lag is far longer than an index is behind its table.
	lag = time.Minute
)

func ofOwner(owner string) string { return "owner#" + owner }

// admissions reads the rows of the limits that a claim may come near.
func (s *Store) admissions(ctx context.Context, owner string) (map[string]admissions, error) {
	rows := map[string]admissions{}
	for _, limit := range []string{everybody, ofOwner(owner)} {
		a := admissions{Key: "admissions#" + limit, Item: admissionsItem}
		out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &s.Table, Key: key(a.Key, admissionsItem), ConsistentRead: aws.Bool(true),
		})
		if err != nil {
			return nil, fmt.Errorf("count admissions: %w", err)
		}
		if err := attributevalue.UnmarshalMap(out.Item, &a); err != nil {
			return nil, fmt.Errorf("decode admissions: %w", err)
		}
		rows[limit] = a
	}
	return rows, nil
}

// Labels are those of all environments that are not closed, and of some that were
// closed a moment ago; unlike Live it has one that was let in a moment ago.
func (s *Store) Labels(ctx context.Context) ([]string, error) {
	rows, err := s.admissions(ctx, "")
	if err != nil {
		return nil, err
	}
	live, err := s.Live(ctx)
	if err != nil {
		return nil, err
	}
	names := slices.Concat(live, s.recent(rows))
	slices.Sort(names)
	return slices.Compact(names), nil
}

// recent are the labels that the index may not have yet.
func (s *Store) recent(rows map[string]admissions) []string {
	var names []string
	for _, a := range rows {
		for name, at := range a.Recent {
			if s.Now().Sub(time.Unix(at, 0)) < lag && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// occupants are the records of all environments that are not closed.
func (s *Store) occupants(ctx context.Context, rows map[string]admissions) ([]Environment, error) {
	all, err := s.indexed(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range s.recent(rows) {
		if slices.ContainsFunc(all, func(env Environment) bool { return env.Name == name }) {
			continue
		}
		env, ok, err := s.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok && env.Live == lives {
			all = append(all, env)
		}
	}
	return all, nil
}

// admit writes the record of a new life, and notes it on the rows of the limits that
// are near, unless another was let in since they were read.
func (s *Store) admit(ctx context.Context, env *Environment, near []string, read map[string]admissions) error {
	if len(near) == 0 {
		return s.put(ctx, env)
	}
	put, err := s.over(env)
	if err != nil {
		return err
	}
	items := []types.TransactWriteItem{{Put: &put}}
	for _, limit := range near {
		put, err := s.admitted(read[limit], env.Name)
		if err != nil {
			return err
		}
		items = append(items, types.TransactWriteItem{Put: put})
	}
	if _, err := s.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}); err != nil {
		return fmt.Errorf("write record %s: %w", env.Name, err)
	}
	return nil
}

// admitted is the next version of a limit's row.
func (s *Store) admitted(read admissions, name string) (*types.Put, error) {
	next := read
	next.Admitted++
	next.Recent = map[string]int64{name: s.Now().Unix()}
	for other, at := range read.Recent {
		if other != name && s.Now().Sub(time.Unix(at, 0)) < lag {
			next.Recent[other] = at
		}
	}
	item, err := attributevalue.MarshalMap(next)
	if err != nil {
		return nil, fmt.Errorf("encode admissions: %w", err)
	}
	put := &types.Put{TableName: &s.Table, Item: item, ConditionExpression: aws.String("attribute_not_exists(environment)")}
	if read.Admitted > 0 {
		put.ConditionExpression = aws.String("admitted = :read")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(read.Admitted)}
	}
	return put, nil
}
