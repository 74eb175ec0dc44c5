package step

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/record"
)

func TestTheTimeUntilReadyIsAMetricOnce(t *testing.T) {
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	asked := time.Unix(1_800_000_000, 0)
	records.Now = func() time.Time { return asked.Add(90 * time.Second) }
	env, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
		env.State, env.Revision, env.AskedAt = record.Provisioning, 1, asked
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ready := MarkReady(records, slog.New(slog.NewJSONHandler(&log, nil)))
	for range 2 { // the second is a retry whose answer was lost
		if err := ready(t.Context(), env); err != nil {
			t.Fatal(err)
		}
	}
	if got, _, err := records.Get(t.Context(), "pr1"); err != nil || got.State != record.Ready {
		t.Errorf("the environment is %s, %v", got.State, err)
	}
	var line struct {
		ReadySeconds float64
		AWS          struct {
			CloudWatchMetrics []struct {
				Namespace string
				Metrics   []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("the log is not one line: %v\n%s", err, &log)
	}
	if line.ReadySeconds != 90 || len(line.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("the line is %s", &log)
	}
	if m := line.AWS.CloudWatchMetrics[0]; m.Namespace != config.MetricNamespace || len(m.Metrics) != 1 || m.Metrics[0].Name != "ReadySeconds" || m.Metrics[0].Unit != "Seconds" {
		t.Errorf("the metric is %+v", m)
	}
}
