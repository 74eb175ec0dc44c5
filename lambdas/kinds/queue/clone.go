package queue

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const fifoSuffix = ".fifo"

// kept are the attributes of a baseline queue that its clone takes over. A
// RedrivePolicy would send a preview's failures to the baseline's dead-letter
// queue, and a Policy names the baseline's own ARN: neither is among them.
var kept = []types.QueueAttributeName{
	types.QueueAttributeNameVisibilityTimeout,
	types.QueueAttributeNameMessageRetentionPeriod,
	types.QueueAttributeNameDelaySeconds,
	types.QueueAttributeNameReceiveMessageWaitTimeSeconds,
	types.QueueAttributeNameMaximumMessageSize,
}

// keptFIFO are those that SQS takes for a FIFO queue only; even FifoQueue=false
// is refused.
var keptFIFO = []types.QueueAttributeName{
	types.QueueAttributeNameFifoQueue,
	types.QueueAttributeNameContentBasedDeduplication,
	types.QueueAttributeNameDeduplicationScope,
	types.QueueAttributeNameFifoThroughputLimit,
}

// keptKMS are those of a queue under a key of one's own. Such a queue is not
// under SQS's key, and to ask for both is refused.
var keptKMS = []types.QueueAttributeName{
	types.QueueAttributeNameKmsMasterKeyId,
	types.QueueAttributeNameKmsDataKeyReusePeriodSeconds,
}

// Clone makes the specification of a queue called name from what
// GetQueueAttributes says of a queue of the baseline. The name gets .fifo at its
// end where that one is FIFO, and must leave room for it: at most 75 characters.
func Clone(attributes map[string]string, name string) Spec {
	keep := kept
	name = strings.TrimSuffix(name, fifoSuffix)
	if attributes[string(types.QueueAttributeNameFifoQueue)] == "true" {
		keep = append(keep[:len(keep):len(keep)], keptFIFO...)
		name += fifoSuffix
	}
	if attributes[string(types.QueueAttributeNameKmsMasterKeyId)] != "" {
		keep = append(keep[:len(keep):len(keep)], keptKMS...)
	} else {
		keep = append(keep[:len(keep):len(keep)], types.QueueAttributeNameSqsManagedSseEnabled)
	}
	spec := Spec{Name: name, Attributes: map[string]string{}}
	for _, attribute := range keep {
		if value, ok := attributes[string(attribute)]; ok {
			spec.Attributes[string(attribute)] = value
		}
	}
	return spec
}
