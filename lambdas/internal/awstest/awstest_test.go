package awstest_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
)

func TestConfig(t *testing.T) {
	t.Run("calls are recorded and reach the emulator", func(t *testing.T) {
		client := sqs.NewFromConfig(awstest.Config(t))
		create(t, client, "a")
		got, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if err != nil || len(got.QueueUrls) != 1 {
			t.Fatalf("ListQueues = %v, %v, want one queue", got, err)
		}
		if diff := cmp.Diff([]string{"sqs:CreateQueue", "sqs:ListQueues"}, awstest.Calls(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("each configuration starts from an empty account", func(t *testing.T) {
		got, err := sqs.NewFromConfig(awstest.Config(t)).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if err != nil || len(got.QueueUrls) != 0 {
			t.Fatalf("ListQueues = %v, %v, want none", got, err)
		}
	})
	t.Run("an injected fault is seen once", func(t *testing.T) {
		client := sqs.NewFromConfig(awstest.Config(t))
		broken := errors.New("broken")
		awstest.Fail(t, "sqs:CreateQueue", broken)
		if _, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("a")}); !errors.Is(err, broken) {
			t.Fatalf("CreateQueue = %v, want the fault", err)
		}
		create(t, client, "a")
	})
	t.Run("a list is handed out in pages", func(t *testing.T) {
		cfg := awstest.Config(t)
		for _, name := range []string{"a", "b", "c"} {
			create(t, sqs.NewFromConfig(awstest.Quiet(cfg)), name)
		}
		awstest.Pages(t, 2)
		var sizes []int
		pages := sqs.NewListQueuesPaginator(sqs.NewFromConfig(cfg), &sqs.ListQueuesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(page.QueueUrls))
		}
		if diff := cmp.Diff([]int{2, 1}, sizes); diff != "" {
			t.Error(diff)
		}
	})
}

func create(t *testing.T, client *sqs.Client, name string) {
	t.Helper()
	if _, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
}
