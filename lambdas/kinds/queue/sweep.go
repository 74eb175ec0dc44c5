package queue

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"previewenv/lambdas/internal/kind"
)

var _ kind.Sweepable = (*Kind)(nil)

// pageSize is the largest page of ListQueues (botocore, ListQueuesRequest). Without
// one SQS returns no token, and a list of over 1,000 would end unseen.
const pageSize = 1000

// List finds the queues that bear the installation's prefix. Its label is in the
// tags; without them the prefix alone says that it is ours.
func (k *Kind) List(ctx context.Context, _ kind.Bounds) ([]kind.Resource, error) {
	var found []kind.Resource
	pages := sqs.NewListQueuesPaginator(k.sqs, &sqs.ListQueuesInput{
		QueueNamePrefix: aws.String(k.guard.Prefix + "-"), MaxResults: aws.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list queues: %w", err)
		}
		for _, url := range page.QueueUrls {
			if k.guard.Name(path.Base(url)) != nil {
				continue
			}
			r, ok, err := k.resource(ctx, url)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// Adopt takes a queue of our name; those are all listed, so that it finds none that
// List did not.
func (k *Kind) Adopt(ctx context.Context, arn string, _ map[string]string, _ kind.Bounds) (kind.Resource, bool, error) {
	name := arn[strings.LastIndex(arn, ":")+1:]
	if !strings.Contains(arn, ":sqs:") || k.guard.Name(name) != nil {
		return kind.Resource{}, false, nil
	}
	url, err := k.find(ctx, name)
	if url == "" || err != nil {
		return kind.Resource{}, false, err
	}
	return k.resource(ctx, url)
}

// Identify is the name, which is unique in an account and Region.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	return spec.Name, err
}

// resource is a queue with its tags; one that was deleted meanwhile is none.
func (k *Kind) resource(ctx context.Context, url string) (kind.Resource, bool, error) {
	tags, err := k.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
	if missing(err) {
		return kind.Resource{}, false, nil
	}
	if err != nil {
		return kind.Resource{}, false, fmt.Errorf("list tags of queue %s: %w", path.Base(url), err)
	}
	r, err := kind.Found(Spec{Name: path.Base(url)}, path.Base(url), url, tags.Tags)
	return r, err == nil, err
}
