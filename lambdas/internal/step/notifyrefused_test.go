package step

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
)

// TestAMessageThatSlackRefusesIsCountedWhenTheAppIsToBlame because nothing is shown to
// anybody then, and only an alarm can tell.
func TestAMessageThatSlackRefusesIsCountedWhenTheAppIsToBlame(t *testing.T) {
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	if _, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
		env.State, env.Revision, env.Channel = record.Provisioning, 1, "C123"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]float64{"invalid_auth": 1, "missing_scope": 1, "not_in_channel": 0} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": code})
		}))
		defer server.Close()
		var log bytes.Buffer
		n := &Notify{
			Records: records, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil)),
			Settings: func(context.Context) (*catalog.Settings, error) { return &catalog.Settings{}, nil },
			Slack: func(context.Context) (*slack.Client, error) {
				return slack.New("xoxb", server.URL+"/", server.Client()), nil
			},
		}
		event := events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{{Change: events.DynamoDBStreamRecord{
			Keys: map[string]events.DynamoDBAttributeValue{"environment": events.NewStringAttribute("pr1")},
		}}}}
		if err := n.Run(t.Context(), event); err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		var line struct {
			Refused *float64
			AWS     any `json:"_aws"`
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%s: the log is not one line: %v\n%s", code, err, &log)
		}
		if line.Refused == nil || *line.Refused != want || line.AWS == nil {
			t.Errorf("%s: the line is %s, want %g refused", code, &log, want)
		}
	}
}
