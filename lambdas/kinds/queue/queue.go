// Package queue makes one SQS queue of an environment, with the timing, FIFO and
// encryption settings of the baseline's queue that it stands for. Its name comes
// in its Spec and holds the incarnation of the environment, because SQS takes a
// deleted name back only after 60 seconds. Removal leaves nothing; messages that
// are still in the queue go with it. The package does not know the catalog, nor
// who reads the queue.
package queue

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

//go:embed example.json
var example []byte

// validName is what SQS takes (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html).
var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$|^[A-Za-z0-9_-]{1,75}\.fifo$`)

type api interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	CreateQueue(context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error)
	ListQueues(context.Context, *sqs.ListQueuesInput, ...func(*sqs.Options)) (*sqs.ListQueuesOutput, error)
	ListQueueTags(context.Context, *sqs.ListQueueTagsInput, ...func(*sqs.Options)) (*sqs.ListQueueTagsOutput, error)
	DeleteQueue(context.Context, *sqs.DeleteQueueInput, ...func(*sqs.Options)) (*sqs.DeleteQueueOutput, error)
}

// Kind makes, looks at and removes queues.
type Kind struct {
	sqs   api
	guard guard.Guard
}

// New returns the kind over an SQS client.
func New(client api, g guard.Guard) *Kind { return &Kind{sqs: client, guard: g} }

// FromConfig returns the kind over a client of its own.
func FromConfig(cfg aws.Config, g guard.Guard) *Kind { return New(sqs.NewFromConfig(cfg), g) }

// Info describes the kind. A queue outlives the services that read and write it.
func Info() kind.Info {
	const queues = "arn:${Partition}:sqs:${Region}:${Account}:${Prefix}-*"
	ours := map[string]map[string]string{"StringEquals": {"aws:ResourceTag/ManagedBy": "${Prefix}"}}
	return kind.Info{
		Name: "queue",
		Rank: 50,
		Grants: []kind.Grant{
			{Actions: []string{"sqs:GetQueueUrl", "sqs:CreateQueue", "sqs:ListQueueTags"}, Resources: []string{queues}},
			{
				Actions: []string{"sqs:TagQueue"}, Resources: []string{queues},
				Conditions: map[string]map[string]string{"StringEqualsIfExists": {"aws:ResourceTag/ManagedBy": "${Prefix}"}},
				Why:        "CreateQueue with tags asks for it; SQS has no key that tells the creation from later, but a queue that is somebody else's is not re-tagged.",
			},
			{Actions: []string{"sqs:DeleteQueue"}, Resources: []string{queues}, Conditions: ours},
		},
		Sweep: []kind.Grant{
			{Actions: []string{"sqs:GetQueueUrl", "sqs:ListQueueTags"}, Resources: []string{queues}},
			{Actions: []string{"sqs:DeleteQueue"}, Resources: []string{queues}, Conditions: ours},
			{Actions: []string{"sqs:ListQueues"}, Resources: []string{"*"}, Why: "AWS gives the list no resource level."},
		},
		Example: example,
	}
}

// Ensure makes the queue, or finds it, and returns its URL. A name that was
// deleted within the last 60 seconds is a NotYet fault, and a queue of somebody else
// is a Forbidden one.
func (k *Kind) Ensure(ctx context.Context, r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	if err != nil {
		return "", err
	}
	url, err := k.find(ctx, spec.Name)
	if err != nil {
		return "", err
	}
	if url != "" {
		_, err = k.owned(ctx, r, url)
		return url, err
	}
	out, err := k.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: &spec.Name, Attributes: spec.Attributes, Tags: r.Tags,
	})
	var recent *types.QueueDeletedRecently
	var exists *types.QueueNameExists
	switch {
	case err == nil:
		return aws.ToString(out.QueueUrl), nil
	case errors.As(err, &recent):
		f := fault.New(statemachine.ErrNotYet, "SQS keeps the name %s for 60 seconds after its queue was deleted.", spec.Name)
		f.Cause = err
		return "", f
	case errors.As(err, &exists):
		// Someone made it between the look and the call, as a retry with other
		// attributes does.
		if url, err = k.find(ctx, spec.Name); url == "" || err != nil {
			return "", err
		}
		_, err = k.owned(ctx, r, url)
		return url, err
	}
	return "", fmt.Errorf("create queue %s: %w", spec.Name, err)
}

// Verify tells whether the queue is there. SQS may go on showing a deleted queue
// for up to 60 seconds.
func (k *Kind) Verify(ctx context.Context, r kind.Resource) (bool, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return false, err
	}
	url, err := k.find(ctx, spec.Name)
	return url != "", err
}

// Remove deletes the queue and whatever is in it.
func (k *Kind) Remove(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	url, err := k.url(ctx, r, spec)
	if url == "" || err != nil {
		return err
	}
	// IAM may answer that a queue which is not there, and so has no tag, is denied.
	if there, err := k.owned(ctx, r, url); !there || err != nil {
		return err
	}
	_, err = k.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	if err != nil && !missing(err) {
		return fmt.Errorf("delete queue %s: %w", spec.Name, err)
	}
	return nil
}

// Owned tells whether the queue of the name bears the tags of the environment.
func (k *Kind) Owned(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	url, err := k.url(ctx, r, spec)
	if url == "" || err != nil {
		return err
	}
	_, err = k.owned(ctx, r, url)
	return err
}

func (k *Kind) owned(ctx context.Context, r kind.Resource, url string) (there bool, err error) {
	tags, there, err := k.tags(ctx, url)
	if !there || err != nil {
		return false, err
	}
	return true, k.guard.Owns("queue "+path.Base(url), tags, r.Environment)
}

// url is that of the ledger, or else that of the queue of the name; empty if there
// is neither.
func (k *Kind) url(ctx context.Context, r kind.Resource, spec Spec) (string, error) {
	if r.ID == "" {
		return k.find(ctx, spec.Name)
	}
	// DeleteQueue goes by the URL, so it is the URL that has to be ours.
	if path.Base(r.ID) != spec.Name {
		return "", fault.New(statemachine.ErrForbidden, "the queue %s is not the one named %s", r.ID, spec.Name)
	}
	return r.ID, nil
}

// spec reads the specification of r and refuses a name that is not ours to use.
func (k *Kind) spec(r kind.Resource) (Spec, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return spec, err
	}
	if err := k.guard.Name(spec.Name); err != nil {
		return spec, err
	}
	if !validName.MatchString(spec.Name) {
		return spec, fault.New(statemachine.ErrForbidden,
			"%q is no name of a queue: at most 80 letters, digits, hyphens and underscores, and .fifo at the end of a FIFO queue's", spec.Name)
	}
	return spec, nil
}

// find returns the URL of a queue, empty when there is none.
func (k *Kind) find(ctx context.Context, name string) (string, error) {
	out, err := k.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find queue %s: %w", name, err)
	}
	return aws.ToString(out.QueueUrl), nil
}

func missing(err error) bool {
	var gone *types.QueueDoesNotExist
	return errors.As(err, &gone)
}
