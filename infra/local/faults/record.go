package faults

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// record is what the table says of an environment, as far as a person may ask.
type record struct {
	State                 string
	Revision, Incarnation int
	Commit                string // that is wanted; empty once it is closed
	Execution             string
	ExpiresAt             time.Time
	Reverting             bool
	Held                  bool   // an execution waits for its end
	Why                   string // its fault
}

// closed tells that nothing is there any more, and nobody works on it.
func (r record) closed() bool { return r.State == "Gone" || r.State == "Failed" }

// settled tells that nobody works on it.
func (r record) settled() bool {
	return r.closed() || r.State == "Ready" || r.State == "Degraded" || r.State == "LeftBehind"
}

// record reads the row; it is empty if there is none.
func (w *World) record(ctx context.Context, label string) (record, error) {
	out, err := w.table.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &w.Seeded.Table, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			"environment": &types.AttributeValueMemberS{Value: label}, "item": &types.AttributeValueMemberS{Value: "ENVIRONMENT"},
		},
	})
	if err != nil {
		return record{}, fmt.Errorf("read record of %s: %w", label, err)
	}
	text := func(name string) string {
		s, _ := out.Item[name].(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	number := func(name string) int {
		n, _ := out.Item[name].(*types.AttributeValueMemberN)
		if n == nil {
			return 0
		}
		i, _ := strconv.Atoi(n.Value) // written as an int
		return i
	}
	r := record{
		State: text("state"), Revision: number("revision"), Incarnation: number("incarnation"), Commit: text("commit"),
		Execution: text("execution"), Held: text("taskToken") != "", ExpiresAt: time.Unix(int64(number("expiresAt")), 0),
	}
	if yes, ok := out.Item["reverting"].(*types.AttributeValueMemberBOOL); ok {
		r.Reverting = yes.Value
	}
	if fault, ok := out.Item["fault"].(*types.AttributeValueMemberM); ok {
		for _, name := range []string{"Name", "name", "What", "what"} {
			if s, ok := fault.Value[name].(*types.AttributeValueMemberS); ok {
				r.Why = strings.TrimSpace(r.Why + " " + s.Value)
			}
		}
	}
	return r, nil
}

// words are what the status message calls each state.
var words = map[string]string{
	"Requested": "requested", "Building": "building", "Provisioning": "provisioning", "Ready": "ready", "Degraded": "degraded",
	"Failed": "failed", "CleaningUp": "cleaning up", "Gone": "gone", "LeftBehind": "removed in part, something is left behind",
}

// said is the state that the status message names; empty if there is no message.
func (w *World) said(label, channel string) string {
	messages := w.Slack.Messages(channel)
	for i := len(messages) - 1; i >= 0; i-- {
		rest, ok := strings.CutPrefix(messages[i].Text, label+" is ")
		if !ok {
			continue
		}
		for state, word := range words {
			if strings.HasPrefix(rest, word+":") {
				return state
			}
		}
	}
	return ""
}
