package step

import (
	"time"

	"previewenv/lambdas/config"
)

// metrics is the part of a log line that makes metrics of its other attributes
// (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
func metrics(now time.Time, unit string, names ...string) map[string]any {
	list := make([]map[string]string, len(names))
	for i, name := range names {
		list[i] = map[string]string{"Name": name, "Unit": unit}
	}
	return map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []map[string]any{{
			"Namespace": config.MetricNamespace, "Dimensions": [][]string{{}}, "Metrics": list,
		}},
	}
}
