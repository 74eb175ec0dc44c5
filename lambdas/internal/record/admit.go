package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// admissions is the row that counts admissions. Every new life is written in one
// transaction with it, so that of two that counted the same places one counts again.
type admissions struct {
	Key      string `dynamodbav:"environment"`
	Item     string `dynamodbav:"item"`
	Admitted int    `dynamodbav:"admitted"`
	// Recent are the labels of the last lives: the index, which says what lives, may
	// not have them yet.
	Recent []string `dynamodbav:"recent"`
}

const (
	admissionsKey  = "admissions#all"
	admissionsItem = "ADMISSIONS"
	// remembered is how many labels the row keeps: far more lives than begin in the
	// seconds that an index may be behind.
	remembered = 100
)

func (s *Store) admissions(ctx context.Context) (admissions, error) {
	a := admissions{Key: admissionsKey, Item: admissionsItem}
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.Table, Key: key(admissionsKey, admissionsItem), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return a, fmt.Errorf("count admissions: %w", err)
	}
	if err := attributevalue.UnmarshalMap(out.Item, &a); err != nil {
		return a, fmt.Errorf("decode admissions: %w", err)
	}
	return a, nil
}

// Labels are those of all environments that are not closed, and of some that were
// closed since they began; unlike Live it has one that began a moment ago.
func (s *Store) Labels(ctx context.Context) ([]string, error) {
	a, err := s.admissions(ctx)
	if err != nil {
		return nil, err
	}
	return s.labels(ctx, a)
}

func (s *Store) labels(ctx context.Context, a admissions) ([]string, error) {
	live, err := s.Live(ctx)
	if err != nil {
		return nil, err
	}
	names := slices.Concat(live, a.Recent)
	slices.Sort(names)
	return slices.Compact(names), nil
}

// occupants are the records of all environments that are not closed.
func (s *Store) occupants(ctx context.Context, a admissions) ([]Environment, error) {
	names, err := s.labels(ctx, a)
	if err != nil {
		return nil, err
	}
	var all []Environment
	for _, name := range names {
		env, ok, err := s.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok && env.Live != "" {
			all = append(all, env)
		}
	}
	return all, nil
}

// admit writes the record of a new life, unless another was admitted since read.
func (s *Store) admit(ctx context.Context, env *Environment, read admissions) error {
	put, err := s.over(env)
	if err != nil {
		return err
	}
	next := read
	next.Admitted++
	next.Recent = append([]string{env.Name}, slices.DeleteFunc(slices.Clone(read.Recent), func(name string) bool { return name == env.Name })...)
	next.Recent = next.Recent[:min(len(next.Recent), remembered)]
	item, err := attributevalue.MarshalMap(next)
	if err != nil {
		return fmt.Errorf("encode admissions: %w", err)
	}
	count := &types.Put{TableName: &s.Table, Item: item, ConditionExpression: aws.String("attribute_not_exists(environment)")}
	if read.Admitted > 0 {
		count.ConditionExpression = aws.String("admitted = :read")
		count.ExpressionAttributeValues = map[string]types.AttributeValue{":read": number(read.Admitted)}
	}
	if _, err := s.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{{Put: &put}, {Put: count}},
	}); err != nil {
		return fmt.Errorf("write record %s: %w", env.Name, err)
	}
	return nil
}
