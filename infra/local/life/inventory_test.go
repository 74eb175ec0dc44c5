package life

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// inventory lists what the AWS endpoint has of every kind that an environment is
// made of.
func inventory(t testing.TB) []string {
	t.Helper()
	var all []string
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("list resources: %v", err)
		}
	}
	balancer := elb.NewFromConfig(world.Config)
	groups := elb.NewDescribeTargetGroupsPaginator(balancer, &elb.DescribeTargetGroupsInput{})
	for groups.HasMorePages() {
		page, err := groups.NextPage(ctx)
		must(err)
		for _, g := range page.TargetGroups {
			all = append(all, "target group "+aws.ToString(g.TargetGroupName))
		}
	}
	for _, priority := range priorities(t) {
		all = append(all, "rule "+priority)
	}
	tasks := ecs.NewFromConfig(world.Config)
	services := ecs.NewListServicesPaginator(tasks, &ecs.ListServicesInput{Cluster: &world.Seeded.Cluster})
	for services.HasMorePages() {
		page, err := services.NextPage(ctx)
		must(err)
		for _, arn := range page.ServiceArns {
			all = append(all, "service "+arn)
		}
	}
	definitions := ecs.NewListTaskDefinitionsPaginator(tasks, &ecs.ListTaskDefinitionsInput{})
	for definitions.HasMorePages() {
		page, err := definitions.NextPage(ctx)
		must(err)
		for _, arn := range page.TaskDefinitionArns {
			all = append(all, "task definition "+arn)
		}
	}
	queues := sqs.NewListQueuesPaginator(sqs.NewFromConfig(world.Config), &sqs.ListQueuesInput{})
	for queues.HasMorePages() {
		page, err := queues.NextPage(ctx)
		must(err)
		for _, url := range page.QueueUrls {
			all = append(all, "queue "+url)
		}
	}
	objects := s3.NewListObjectsV2Paginator(s3.NewFromConfig(world.Config), &s3.ListObjectsV2Input{Bucket: &world.Seeded.Site})
	for objects.HasMorePages() {
		page, err := objects.NextPage(ctx)
		must(err)
		for _, o := range page.Contents {
			all = append(all, "object "+aws.ToString(o.Key))
		}
	}
	slices.Sort(all)
	return all
}

func priorities(t testing.TB) []string {
	t.Helper()
	var all []string
	pages := elb.NewDescribeRulesPaginator(elb.NewFromConfig(world.Config), &elb.DescribeRulesInput{ListenerArn: &world.Seeded.Listener})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatalf("list rules: %v", err)
		}
		for _, r := range page.Rules {
			all = append(all, aws.ToString(r.Priority))
		}
	}
	return all
}

// queueURL is that of the one queue whose name begins so.
func queueURL(t testing.TB, name string) string {
	t.Helper()
	list, err := sqs.NewFromConfig(world.Config).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &name})
	if err != nil || len(list.QueueUrls) != 1 {
		t.Fatalf("find queue %s: %v %v", name, list, err)
	}
	return list.QueueUrls[0]
}

// send puts a message into the queue whose name begins so.
func send(t testing.TB, name, body string) {
	t.Helper()
	if _, err := sqs.NewFromConfig(world.Config).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(queueURL(t, name)), MessageBody: &body,
	}); err != nil {
		t.Fatalf("send to %s: %v", name, err)
	}
}

func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not come true in 30 s")
		}
	}
}

// hammer asks for a URL again and again until the returned func is called.
func hammer(t testing.TB, url string) func() (requests, failed int) {
	t.Helper()
	stop := make(chan struct{})
	var group sync.WaitGroup
	var requests, failed int
	var last string
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			resp, err := world.Client.Get(url)
			requests++
			if err != nil || resp.StatusCode != http.StatusOK {
				failed++
				last = statusOf(resp, err)
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	})
	return func() (int, int) {
		close(stop)
		group.Wait()
		if failed > 0 {
			t.Logf("the last failed request: %s", last)
		}
		return requests, failed
	}
}

func statusOf(resp *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	return resp.Status
}
