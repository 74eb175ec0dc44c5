package queue

import (
	"context"
	"fmt"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"previewenv/lambdas/internal/kind"
)

var _ kind.Sweepable = (*Kind)(nil)

// pageSize is the largest page of ListQueues (botocore, ListQueuesRequest). Without
// one SQS returns no token, and a list of over 1,000 would end unseen.
const pageSize = 1000

// List finds the queues that bear the installation's prefix. The label is in the
// tags, for which SQS has to be asked queue by queue, so that those of the tag index
// are taken where it has them.
func (k *Kind) List(ctx context.Context, b kind.Bounds) ([]kind.Resource, error) {
	known := tagged(b)
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
			tags, ok := known[path.Base(url)]
			if !ok {
				if tags, ok, err = k.tags(ctx, url); err != nil {
					return nil, err
				}
			}
			if !ok {
				continue
			}
			r, err := kind.Found(Spec{Name: path.Base(url)}, path.Base(url), url, tags)
			if err != nil {
				return nil, err
			}
			found = append(found, r)
		}
	}
	return found, nil
}

// tagged are the tags of queues in the tag index, by name, which is unique in an
// account and Region.
func tagged(b kind.Bounds) map[string]map[string]string {
	known := map[string]map[string]string{}
	for text, tags := range b.Tags {
		if a, err := arn.Parse(text); err == nil && a.Service == "sqs" {
			known[a.Resource] = tags
		}
	}
	return known
}

// Adopt finds nothing: List finds every queue of our name.
func (k *Kind) Adopt(context.Context, string, map[string]string, kind.Bounds) (kind.Resource, bool, error) {
	return kind.Resource{}, false, nil
}

// Identify is the name, which is unique in an account and Region.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	return spec.Name, err
}

// tags are those of a queue; ok is false if it was deleted meanwhile.
func (k *Kind) tags(ctx context.Context, url string) (tags map[string]string, ok bool, err error) {
	out, err := k.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
	if missing(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("list tags of queue %s: %w", path.Base(url), err)
	}
	return out.Tags, true, nil
}
