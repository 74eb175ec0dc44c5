package record

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Build is one service at one commit being built, whoever waits for it.
type Build struct {
	Key       string   `dynamodbav:"environment"` // build#<service>#<commit>
	Item      string   `dynamodbav:"item"`
	ID        string   `dynamodbav:"buildId,omitempty"`  // CodeBuild's, once it was started
	Source    string   `dynamodbav:"sourceId,omitempty"` // version of what the attempt builds, once it is stored
	Attempt   int      `dynamodbav:"attempt"`
	Running   bool     `dynamodbav:"running"`
	StartedAt int64    `dynamodbav:"startedAt"` // Unix seconds
	Waiters   []string `dynamodbav:"waiters,stringset,omitempty"`
}

// Waiter is an execution that waits for a build.
type Waiter struct {
	Environment string
	Revision    int
	Token       string
}

func (w Waiter) encode() string {
	return w.Environment + "|" + strconv.Itoa(w.Revision) + "|" + w.Token
}

func decodeWaiter(s string) Waiter {
	parts := strings.SplitN(s, "|", 3)
	if len(parts) < 3 {
		return Waiter{Token: s}
	}
	revision, _ := strconv.Atoi(parts[1]) // written by encode
	return Waiter{Environment: parts[0], Revision: revision, Token: parts[2]}
}

// JoinBuild adds a waiter to the build of a service at a commit, beginning an
// attempt if none runs. One write adds the waiter and one takes all of them away,
// so no waiter can fall between.
func (s *Store) JoinBuild(ctx context.Context, service, commit string, w Waiter) (Build, error) {
	for range tries {
		b, err := s.updateBuild(ctx, service, commit, "ADD waiters :waiter", "running = :yes",
			map[string]types.AttributeValue{":waiter": set(w), ":yes": yes(true)})
		if !conflict(err) {
			return b, err
		}
		b, err = s.updateBuild(ctx, service, commit,
			"SET running = :yes, startedAt = :now, attempt = if_not_exists(attempt, :zero) + :one REMOVE buildId, sourceId ADD waiters :waiter",
			"attribute_not_exists(running) OR running = :no",
			map[string]types.AttributeValue{
				":waiter": set(w), ":yes": yes(true), ":no": yes(false), ":zero": number(0), ":one": number(1),
				":now": number(int(s.Now().Unix())),
			})
		if !conflict(err) {
			return b, err
		}
	}
	return Build{}, fmt.Errorf("join build of %s at %s: too many at once", service, commit)
}

// SourceOfBuild notes what the running attempt builds, and returns what it does build:
// of several that stored the source at once, the first one's. It is empty when the
// attempt has ended.
func (s *Store) SourceOfBuild(ctx context.Context, service, commit string, attempt int, version string) (string, error) {
	b, err := s.updateBuild(ctx, service, commit, "SET sourceId = if_not_exists(sourceId, :version)", "attempt = :attempt AND running = :yes",
		map[string]types.AttributeValue{":version": text(version), ":attempt": number(attempt), ":yes": yes(true)})
	if conflict(err) {
		return "", nil
	}
	return b.Source, err
}

// StartedBuild notes CodeBuild's id of the running attempt.
func (s *Store) StartedBuild(ctx context.Context, service, commit string, attempt int, id string) error {
	_, err := s.updateBuild(ctx, service, commit, "SET buildId = :id", "attempt = :attempt",
		map[string]types.AttributeValue{":id": text(id), ":attempt": number(attempt)})
	if conflict(err) {
		return nil // it ended, and another attempt began: that one has its own id
	}
	return err
}

// EndBuild ends the attempt that CodeBuild knows by id and returns whoever waits.
// They are forgotten only by Told, so that a function that died in between tells
// them when the event comes again; an event of an earlier attempt finds nobody.
func (s *Store) EndBuild(ctx context.Context, service, commit, id string) ([]Waiter, error) {
	b, err := s.updateBuild(ctx, service, commit, "SET running = :no, endedId = :id, #ttl = :ttl",
		"attribute_exists(environment) AND (buildId = :id OR (attribute_not_exists(buildId) AND (attribute_not_exists(endedId) OR endedId <> :id)))",
		map[string]types.AttributeValue{
			":no": yes(false), ":id": text(id), ":ttl": number(int(s.Now().Add(kept).Unix())),
		})
	if conflict(err) {
		return nil, nil
	}
	return Waiters(b.Waiters), err
}

// Told forgets waiters that were told how their build ended.
func (s *Store) Told(ctx context.Context, service, commit string, waiters []Waiter) error {
	if len(waiters) == 0 {
		return nil
	}
	rows := make([]string, len(waiters))
	for i, w := range waiters {
		rows[i] = w.encode()
	}
	_, err := s.updateBuild(ctx, service, commit, "DELETE waiters :told", "attribute_exists(environment)",
		map[string]types.AttributeValue{":told": &types.AttributeValueMemberSS{Value: rows}})
	if conflict(err) {
		return nil
	}
	return err
}

// Waiters reads the waiters of a build's row.
func Waiters(rows []string) []Waiter {
	waiters := make([]Waiter, len(rows))
	for i, row := range rows {
		waiters[i] = decodeWaiter(row)
	}
	return waiters
}

// Age is how long the running attempt has run.
func (b Build) Age(now time.Time) time.Duration { return now.Sub(time.Unix(b.StartedAt, 0)) }

func (s *Store) updateBuild(ctx context.Context, service, commit, update, condition string, values map[string]types.AttributeValue) (Build, error) {
	var b Build
	var names map[string]string
	if strings.Contains(update, "#ttl") { // TTL is a reserved word of DynamoDB's expressions
		names = map[string]string{"#ttl": "ttl"}
	}
	out, err := s.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.Table, Key: key(buildKey(service, commit), "BUILD"),
		UpdateExpression: &update, ConditionExpression: &condition, ExpressionAttributeNames: names,
		ExpressionAttributeValues: values, ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return b, fmt.Errorf("note build of %s at %s: %w", service, commit, err)
	}
	if err := attributevalue.UnmarshalMap(out.Attributes, &b); err != nil {
		return b, fmt.Errorf("decode build of %s at %s: %w", service, commit, err)
	}
	return b, nil
}

func buildKey(service, commit string) string { return "build#" + service + "#" + commit }

func set(w Waiter) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: []string{w.encode()}}
}

func yes(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }
