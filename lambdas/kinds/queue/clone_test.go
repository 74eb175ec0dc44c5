package queue_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/kinds/queue"
)

func TestClone(t *testing.T) {
	// What GetQueueAttributes says of every queue besides its settings.
	always := map[string]string{
		"QueueArn": "arn:aws:sqs:us-east-1:123456789012:staging-orders", "CreatedTimestamp": "1", "LastModifiedTimestamp": "2",
		"ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
		"RedrivePolicy":      `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:staging-dead","maxReceiveCount":3}`,
		"RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`,
		"Policy":             `{"Statement":[]}`,
	}
	tests := map[string]struct {
		attributes map[string]string
		name       string
		want       queue.Spec
	}{
		"timing is kept, dead-letter queue and policy are not": {
			map[string]string{"VisibilityTimeout": "45", "MessageRetentionPeriod": "60", "DelaySeconds": "5",
				"ReceiveMessageWaitTimeSeconds": "20", "MaximumMessageSize": "1024", "SqsManagedSseEnabled": "true"},
			"preview-pr1-1-orders",
			queue.Spec{Name: "preview-pr1-1-orders", Attributes: map[string]string{"VisibilityTimeout": "45", "MessageRetentionPeriod": "60",
				"DelaySeconds": "5", "ReceiveMessageWaitTimeSeconds": "20", "MaximumMessageSize": "1024", "SqsManagedSseEnabled": "true"}},
		},
		"a FIFO queue stays one, in name too": {
			map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"},
			"preview-pr1-1-orders",
			queue.Spec{Name: "preview-pr1-1-orders.fifo", Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true",
				"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}},
		},
		"the suffix is not doubled": {
			map[string]string{"FifoQueue": "true"}, "preview-pr1-1-orders.fifo",
			queue.Spec{Name: "preview-pr1-1-orders.fifo", Attributes: map[string]string{"FifoQueue": "true"}},
		},
		"a standard queue asks for nothing of FIFO": {
			map[string]string{"FifoQueue": "false", "ContentBasedDeduplication": "false"}, "preview-pr1-1-orders",
			queue.Spec{Name: "preview-pr1-1-orders", Attributes: map[string]string{}},
		},
		"an own key excludes that of SQS": {
			map[string]string{"KmsMasterKeyId": "alias/queues", "KmsDataKeyReusePeriodSeconds": "300", "SqsManagedSseEnabled": "false"}, "preview-pr1-1-orders",
			queue.Spec{Name: "preview-pr1-1-orders", Attributes: map[string]string{"KmsMasterKeyId": "alias/queues", "KmsDataKeyReusePeriodSeconds": "300"}},
		},
		"no encryption is kept as it is": {
			map[string]string{"SqsManagedSseEnabled": "false"}, "preview-pr1-1-orders",
			queue.Spec{Name: "preview-pr1-1-orders", Attributes: map[string]string{"SqsManagedSseEnabled": "false"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			attributes := maps.Clone(always)
			maps.Copy(attributes, test.attributes)
			got := queue.Clone(attributes, test.name)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
