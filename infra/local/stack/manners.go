package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/manner"
)

// behave makes the parts behave as AWS does; each that has manners of its own got them
// when it was made.
func (s *Stack) behave(context.Context) error {
	m := s.options.Manners
	if m == nil {
		return nil
	}
	s.Edge.Lag(m)
	s.Edge.Refuse("ecs", "CreateService", lateServices(m))
	ctx, cancel := context.WithCancel(context.Background())
	s.wait.Go(func() {
		tick := time.NewTicker(m.Scaled(manner.Expire))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if _, err := s.Expire(ctx, time.Now(), 1); err != nil && ctx.Err() == nil {
					s.options.Log.Warn("delete what has expired", "error", err)
				}
			}
		}
	})
	s.closers = append(s.closers, func() error { cancel(); return nil })
	return nil
}

// lateServices refuses some services once: ECS does not see their rules yet.
func lateServices(m *manner.Manners) func([]byte) *edge.Refusal {
	var mu sync.Mutex
	asked := map[string]bool{}
	return func(request []byte) *edge.Refusal {
		var in struct {
			LoadBalancers []struct{ TargetGroupArn string }
		}
		if json.Unmarshal(request, &in) != nil || len(in.LoadBalancers) == 0 {
			return nil
		}
		arn := in.LoadBalancers[0].TargetGroupArn
		_, name, _ := strings.Cut(arn, ":targetgroup/")
		name, _, _ = strings.Cut(name, "/") // what follows is another in each run
		mu.Lock()
		defer mu.Unlock()
		if asked[arn] || !m.Draws(manner.ServiceLate, "service", name) {
			return nil
		}
		asked[arn] = true
		return &edge.Refusal{
			Status: 400, Code: "InvalidParameterException",
			Message: fmt.Sprintf("The target group with targetGroupArn %s does not have an associated load balancer.", arn),
		}
	}
}

// Expire deletes rows whose time to live has ended by now, in no order: so many, or
// all if most is 0. It returns how many there were to delete.
func (s *Stack) Expire(ctx context.Context, now time.Time, most int) (int, error) {
	client := dynamodb.NewFromConfig(clientConfig(s.edgeURL, "ttl"))
	var due []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName: &s.Seeded.Table, FilterExpression: aws.String("#t < :now"), ProjectionExpression: aws.String("environment, #i"),
		ExpressionAttributeNames:  map[string]string{"#t": "ttl", "#i": "item"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":now": &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Unix(), 10)}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("look for what has expired: %w", err)
		}
		due = append(due, page.Items...)
	}
	for n, i := range s.options.Manners.Order(len(due), "expire", len(due)) {
		if most > 0 && n == most {
			break
		}
		if _, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.Seeded.Table, Key: due[i]}); err != nil {
			return 0, fmt.Errorf("delete an expired row: %w", err)
		}
	}
	return len(due), nil
}
