package record

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Live lists the labels of all environments that are not closed, in order.
func (s *Store) Live(ctx context.Context) ([]string, error) {
	return s.index(ctx, "live", "live = :key", lives)
}

// Unshown lists the labels of the closed environments whose end was not shown yet.
func (s *Store) Unshown(ctx context.Context) ([]string, error) {
	return s.index(ctx, "live", "live = :key", unshown)
}

// ByCommit lists the labels of the environments of a commit; an abbreviated one
// is looked up among all that live, because an index finds only whole keys.
func (s *Store) ByCommit(ctx context.Context, commit string) ([]string, error) {
	if len(commit) == 40 {
		return s.index(ctx, "commit", "#commit = :key", commit)
	}
	live, err := s.Live(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range live {
		env, ok, err := s.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok && len(commit) >= 7 && len(env.Commit) >= len(commit) && env.Commit[:len(commit)] == commit {
			found = append(found, name)
		}
	}
	return found, nil
}

// indexed are the records of the environments that are not closed, as the index has
// them: what was written a moment ago may be missing.
func (s *Store) indexed(ctx context.Context) ([]Environment, error) {
	var all []Environment
	pages := dynamodb.NewQueryPaginator(s.Client, &dynamodb.QueryInput{
		TableName: &s.Table, IndexName: aws.String("live"), KeyConditionExpression: aws.String("live = :key"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":key": text(lives)},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("query index live: %w", err)
		}
		for _, item := range page.Items {
			var env Environment
			if err := env.read(item); err != nil {
				return nil, fmt.Errorf("decode index live: %w", err)
			}
			all = append(all, env)
		}
	}
	return all, nil
}

func (s *Store) index(ctx context.Context, index, condition, value string) ([]string, error) {
	in := &dynamodb.QueryInput{
		TableName: &s.Table, IndexName: aws.String(index),
		KeyConditionExpression:    aws.String(condition),
		ExpressionAttributeValues: map[string]types.AttributeValue{":key": text(value)},
	}
	if index == "commit" { // reserved words of DynamoDB's expressions
		in.ExpressionAttributeNames = map[string]string{"#commit": "commit", "#item": "item"}
		// Rows of services that were written before they lost that key are in it too.
		in.FilterExpression = aws.String("#item = :record")
		in.ExpressionAttributeValues[":record"] = text(environmentItem)
	}
	var names []string
	pages := dynamodb.NewQueryPaginator(s.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("query index %s: %w", index, err)
		}
		var rows []struct {
			Name string `dynamodbav:"environment"`
		}
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &rows); err != nil {
			return nil, fmt.Errorf("decode index %s: %w", index, err)
		}
		for _, row := range rows {
			names = append(names, row.Name)
		}
	}
	return names, nil
}

// Once is true for the first caller with a key and false for every other within
// the given time: a delivery that comes twice has one effect.
func (s *Store) Once(ctx context.Context, what string, within time.Duration) (bool, error) {
	_, err := s.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Table,
		Item: map[string]types.AttributeValue{
			"environment": text("delivery#" + what), "item": text("DELIVERY"),
			"ttl": number(int(s.Now().Add(within).Unix())),
		},
		ConditionExpression: aws.String("attribute_not_exists(environment)"),
	})
	if conflict(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("note delivery: %w", err)
	}
	return true, nil
}
