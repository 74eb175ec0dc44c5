package step

import (
	"context"
	"time"
)

// metricNamespace is where alarms find what a sweep says.
const metricNamespace = "PreviewEnvironments"

// report fills in what became of the items, and logs it once in CloudWatch's
// embedded metric format, so that silence is an alarm.
func (s *sweep) report(ctx context.Context) {
	for _, it := range s.items {
		line := Reaped{Environment: it.resource.Environment, Kind: it.kind.Name, Name: it.identity, Why: it.why}
		if it.leak {
			s.out.Leaks = append(s.out.Leaks, line)
		}
		switch {
		case s.dry:
			s.out.Removed = append(s.out.Removed, line)
		case it.gone:
			s.out.Removed = append(s.out.Removed, line)
		default:
			line.Why += "; " + it.failure
			s.out.Left = append(s.out.Left, line)
		}
	}
	whole := 1
	if len(s.out.Problems) > 0 {
		whole = 0
	}
	s.Log.InfoContext(ctx, "sweep ended", "dryRun", s.dry,
		"Sweeps", whole, "Environments", s.out.Environments, "Ended", len(s.out.Ended),
		"Leaks", len(s.out.Leaks), "Removed", len(s.out.Removed), "Left", len(s.out.Left), "Problems", len(s.out.Problems),
		"_aws", metrics(s.Now(), "Sweeps", "Environments", "Ended", "Leaks", "Removed", "Left", "Problems"))
}

// metrics is the part of a log line that makes metrics of its other attributes
// (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
func metrics(now time.Time, names ...string) map[string]any {
	list := make([]map[string]string, len(names))
	for i, name := range names {
		list[i] = map[string]string{"Name": name, "Unit": "Count"}
	}
	return map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []map[string]any{{
			"Namespace": metricNamespace, "Dimensions": [][]string{{}}, "Metrics": list,
		}},
	}
}
