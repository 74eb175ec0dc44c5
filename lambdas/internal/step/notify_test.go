package step

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
)

// channel is Slack's side: a message is posted or edited a moment after it was asked
// for, as over a network.
type channel struct {
	mu       sync.Mutex
	messages []string
}

func (c *channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := r.FormValue("text")
	time.Sleep(time.Duration(len(text)%7) * 10 * time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.messages)
	if strings.HasSuffix(r.URL.Path, "chat.update") {
		_, _ = fmt.Sscan(r.FormValue("ts"), &n)
		c.messages[n] = text
	} else {
		c.messages = append(c.messages, text)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"ok":true,"channel":"C1","ts":"%d"}`, n)
}

// rowsOf is one change of each row of pr1, by the invocation that gets it: a shard has
// as many as the factor says, and a row is always in the same one.
func rowsOf(factor int) [][]events.DynamoDBEventRecord {
	batches := make([][]events.DynamoDBEventRecord, factor)
	for i := range 8 {
		batches[i%factor] = append(batches[i%factor], events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{
			Keys: map[string]events.DynamoDBAttributeValue{
				"environment": events.NewStringAttribute("pr1"), "item": events.NewStringAttribute(fmt.Sprint("RESOURCE#", i)),
			},
		}})
	}
	return batches
}

func TestALifeHasOneMessageWhichIsWhatItsRecordIs(t *testing.T) {
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	said := &channel{}
	server := httptest.NewServer(said)
	t.Cleanup(server.Close)
	n := &Notify{
		Records: records, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Settings: func(context.Context) (*catalog.Settings, error) { return &catalog.Settings{}, nil },
		Slack: func(context.Context) (*slack.Client, error) {
			return slack.New("token", server.URL, server.Client()), nil
		},
	}
	prepare(t, records, time.Now().Add(time.Hour))
	for _, state := range []record.State{record.Requested, record.Building, record.Provisioning, record.Ready, record.CleaningUp, record.Gone} {
		if _, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
			env.State, env.Channel = state, "C1"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for _, batch := range rowsOf(config.StreamFactor) {
			group.Go(func() {
				if err := n.Run(t.Context(), events.DynamoDBEvent{Records: batch}); err != nil {
					t.Errorf("show %s: %v", state, err)
				}
			})
		}
		group.Wait()
	}
	if len(said.messages) != 1 || !strings.HasPrefix(said.messages[0], "pr1 is gone") {
		t.Errorf("the channel has %q, want one message of what is gone", said.messages)
	}
}
