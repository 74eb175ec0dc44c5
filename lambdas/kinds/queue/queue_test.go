package queue_test

import (
	"encoding/json"
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/queue"
	"previewenv/statemachine"
)

var own = guard.Guard{Prefix: "preview", BaseDomain: "preview.example.com"}

func row(t testing.TB, spec queue.Spec) kind.Resource {
	t.Helper()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return kind.Resource{Environment: "pr1", Name: "orders", Incarnation: 1, Spec: data, Tags: kindtest.Tags(own.Prefix)}
}

func standard() queue.Spec {
	return queue.Spec{Name: "preview-pr1-1-orders", Attributes: map[string]string{"VisibilityTimeout": "45"}}
}

func TestKind(t *testing.T) {
	for name, spec := range map[string]queue.Spec{
		"standard": standard(),
		"FIFO":     {Name: "preview-pr1-1-orders.fifo", Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}},
	} {
		t.Run(name, func(t *testing.T) {
			kindtest.Run(t, kindtest.Case{
				Info:   queue.Info(),
				Prefix: own.Prefix,
				New:    func(cfg aws.Config) kind.Kind { return queue.FromConfig(cfg, own) },
				Seed:   func(t testing.TB, _ aws.Config) kind.Resource { return row(t, spec) },
				Made: func(t testing.TB, cfg aws.Config, _ kind.Resource) map[string]map[string]string {
					return queues(t, cfg, spec.Name)
				},
				Bounds: func(kind.Resource) kind.Bounds { return kind.Bounds{} },
				Retag: func(t testing.TB, cfg aws.Config, r kind.Resource, tags map[string]string) {
					client := sqs.NewFromConfig(cfg)
					for key, value := range tags {
						if value == "" {
							_, err := client.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: &r.ID, TagKeys: []string{key}})
							fatal(t, err)
							continue
						}
						_, err := client.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &r.ID, Tags: map[string]string{key: value}})
						fatal(t, err)
					}
				},
				Crowd: func(t testing.TB, cfg aws.Config, _ kind.Resource) {
					create(t, cfg, "staging-orders")
					create(t, cfg, spec.Name[:len("preview-pr1")]+"0-1-orders")
				},
				Invalid: map[string]json.RawMessage{
					"a queue of the baseline":       json.RawMessage(`{"name": "staging-orders"}`),
					"a name that only begins alike": json.RawMessage(`{"name": "previews-orders"}`),
					"a name with a slash":           json.RawMessage(`{"name": "preview-a/staging-orders"}`),
					"a name of 81 characters":       json.RawMessage(`{"name": "preview-` + strings.Repeat("a", 73) + `"}`),
				},
			})
		})
	}
}

func TestEnsure(t *testing.T) {
	t.Run("the attributes of the specification are set", func(t *testing.T) {
		cfg := awstest.Config(t)
		url, err := queue.FromConfig(cfg, own).Ensure(t.Context(), row(t, standard()))
		if err != nil || path.Base(url) != "preview-pr1-1-orders" {
			t.Fatalf("Ensure = %q, %v", url, err)
		}
		out, err := sqs.NewFromConfig(awstest.Quiet(cfg)).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameVisibilityTimeout},
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"VisibilityTimeout": "45"}, out.Attributes); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a name that was deleted lately is not yet free", func(t *testing.T) {
		cfg := awstest.Config(t)
		awstest.Fail(t, "sqs:CreateQueue", &types.QueueDeletedRecently{})
		if _, err := queue.FromConfig(cfg, own).Ensure(t.Context(), row(t, standard())); !fault.Is(err, statemachine.ErrNotYet) {
			t.Errorf("Ensure = %v, want NotYet", err)
		}
	})
	t.Run("a queue that another execution made in between is found", func(t *testing.T) {
		cfg := awstest.Config(t)
		if _, err := queue.FromConfig(awstest.Quiet(cfg), own).Ensure(t.Context(), row(t, standard())); err != nil {
			t.Fatal(err)
		}
		awstest.Fail(t, "sqs:GetQueueUrl", &types.QueueDoesNotExist{})
		awstest.Fail(t, "sqs:CreateQueue", &types.QueueNameExists{})
		url, err := queue.FromConfig(cfg, own).Ensure(t.Context(), row(t, standard()))
		if err != nil || path.Base(url) != "preview-pr1-1-orders" {
			t.Errorf("Ensure = %q, %v", url, err)
		}
	})
	t.Run("what SQS refuses is reported", func(t *testing.T) {
		for _, operation := range []string{"sqs:GetQueueUrl", "sqs:CreateQueue"} {
			cfg := awstest.Config(t)
			broken := errors.New("broken")
			awstest.Fail(t, operation, broken)
			if _, err := queue.FromConfig(cfg, own).Ensure(t.Context(), row(t, standard())); !errors.Is(err, broken) {
				t.Errorf("Ensure = %v, want the error of %s", err, operation)
			}
		}
	})
}

func TestRemoveRefusesTheURLOfAnotherQueue(t *testing.T) {
	cfg := awstest.Config(t)
	create(t, awstest.Quiet(cfg), "staging-orders")
	r := row(t, standard())
	r.ID = "https://sqs.us-east-1.amazonaws.com/123456789012/staging-orders"
	if err := queue.FromConfig(cfg, own).Remove(t.Context(), r); !fault.Is(err, statemachine.ErrForbidden) {
		t.Errorf("Remove = %v, want Forbidden", err)
	}
	if len(queues(t, awstest.Quiet(cfg), "staging-orders")) != 1 {
		t.Error("the queue of the baseline is gone")
	}
}

func create(t testing.TB, cfg aws.Config, name string) {
	t.Helper()
	if _, err := sqs.NewFromConfig(cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}); err != nil {
		t.Fatal(err)
	}
}

// queues is the tags of the queue of that name, if there is one.
func queues(t testing.TB, cfg aws.Config, name string) map[string]map[string]string {
	t.Helper()
	client := sqs.NewFromConfig(cfg)
	list, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &name})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]string{}
	for _, url := range list.QueueUrls {
		out, err := client.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &url})
		if err != nil {
			t.Fatal(err)
		}
		found[path.Base(url)] = out.Tags
	}
	return found
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
