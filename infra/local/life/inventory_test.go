package life

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// inventory lists what the AWS endpoint has of every kind that an environment is
// made of.
func inventory(t testing.TB) []string {
	t.Helper()
	names, err := endpoint.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return names
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
			p, err := ask(url)
			requests++
			if err != nil || p.Status != http.StatusOK && !p.missed() {
				failed++
				last = fmt.Sprint(p.Status, " ", p.Body, " ", err)
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

func ask(url string) (page, error) {
	resp, err := world.Client.Get(url)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return page{resp.StatusCode, resp.Header, string(body)}, err
}
