package life

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// TestASweepLeavesWhatLostItsTags takes the tags from a queue without a row, which is
// then nobody's that the table or AWS could name: it is reported, and stays until a
// person gives them back.
func TestASweepLeavesWhatLostItsTags(t *testing.T) {
	before := inventory(t)
	provision(t, "lost", world.Repository.Commits["pr1"]+" service1 --queues --as lost")
	queue := queueURL(t, "pv-lost-orders-")
	client := sqs.NewFromConfig(world.Config)
	tags, err := client.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &queue})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: &queue, TagKeys: []string{"ManagedBy", "Environment"}}); err != nil {
		t.Fatal(err)
	}
	forget(t, "lost", "RESOURCE#queue#orders")
	s := sweep(t, `{}`)
	if !slices.ContainsFunc(s.Foreign, func(l line) bool {
		return strings.HasPrefix(l.Name, "pv-lost-orders-") && strings.Contains(l.Why, "is not ours: its tags say")
	}) {
		t.Errorf("the queue without tags is not reported: %+v", s)
	}
	if left := queueURL(t, "pv-lost-orders-"); left != queue {
		t.Errorf("the queue is %q, want it to stay", left)
	}
	if _, err := client.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: aws.String(queue), Tags: tags.Tags}); err != nil {
		t.Fatal(err)
	}
	if s := sweep(t, `{}`); len(s.Removed) != 1 || len(s.Foreign) > 0 {
		t.Errorf("with its tags the sweep reports %+v", s)
	}
	remove(t, "lost")
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("something is left (-before +after):\n%s", diff)
	}
}
