// Package route tells the edge of an environment: one key of the CloudFront
// KeyValueStore, the label, whose value says whether it is starting or live, at
// which commit, with which frontend and overrides. Open writes the first state,
// Ensure publishes the second, and Answers asks the public URL whether the
// overrides are seen there. Close writes that it was removed, and removal takes the
// key away; the edge then answers that it knows no such environment. The package does not know what stands behind the
// paths.
package route

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

//go:embed example.json
var example []byte

const (
	// maxValue is the largest value of a key
	// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
	maxValue = 1024
	// reserved is the label that the edge keeps for the baseline's frontend.
	reserved = "default"
	// probeTimeout keeps one override that hangs from using up the time of the step.
	probeTimeout = 5 * time.Second
)

type api interface {
	DescribeKeyValueStore(context.Context, *cloudfrontkeyvaluestore.DescribeKeyValueStoreInput, ...func(*cloudfrontkeyvaluestore.Options)) (*cloudfrontkeyvaluestore.DescribeKeyValueStoreOutput, error)
	GetKey(context.Context, *cloudfrontkeyvaluestore.GetKeyInput, ...func(*cloudfrontkeyvaluestore.Options)) (*cloudfrontkeyvaluestore.GetKeyOutput, error)
	ListKeys(context.Context, *cloudfrontkeyvaluestore.ListKeysInput, ...func(*cloudfrontkeyvaluestore.Options)) (*cloudfrontkeyvaluestore.ListKeysOutput, error)
	PutKey(context.Context, *cloudfrontkeyvaluestore.PutKeyInput, ...func(*cloudfrontkeyvaluestore.Options)) (*cloudfrontkeyvaluestore.PutKeyOutput, error)
	DeleteKey(context.Context, *cloudfrontkeyvaluestore.DeleteKeyInput, ...func(*cloudfrontkeyvaluestore.Options)) (*cloudfrontkeyvaluestore.DeleteKeyOutput, error)
}

// Kind publishes, looks at and removes routes.
type Kind struct {
	// HTTP asks the public URL in Answers. It must not follow redirects: what is
	// asked for is whether this very address is answered by the override. It opens
	// a connection for each question.
	HTTP *http.Client

	store api
	guard guard.Guard
}

// New returns the kind over a client of the KeyValueStore.
func New(store api, g guard.Guard) *Kind {
	fresh := http.DefaultTransport.(*http.Transport).Clone()
	fresh.DisableKeepAlives = true
	return &Kind{
		store: store, guard: g,
		HTTP: &http.Client{
			Timeout: probeTimeout, Transport: fresh,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// FromConfig returns the kind over a client of its own. The SDK signs with
// SigV4A by itself, and takes the host from the store's ARN: <account> before
// cloudfront-kvs.global.api.aws, or before a custom endpoint.
func FromConfig(cfg aws.Config, g guard.Guard) *Kind {
	return New(cloudfrontkeyvaluestore.NewFromConfig(cfg), g)
}

// Info describes the kind. It is removed first, so that nobody sees an
// environment that is being taken apart.
func Info() kind.Info {
	return kind.Info{
		Name: "route",
		Rank: 10,
		Grants: []kind.Grant{{
			Actions: []string{
				"cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:GetKey",
				"cloudfront-keyvaluestore:PutKey", "cloudfront-keyvaluestore:DeleteKey",
			},
			Resources: []string{"${KeyValueStore}"},
		}},
		Sweep: []kind.Grant{{
			Actions: []string{
				"cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:GetKey",
				"cloudfront-keyvaluestore:ListKeys", "cloudfront-keyvaluestore:DeleteKey",
			},
			Resources: []string{"${KeyValueStore}"},
		}},
		Example: example,
	}
}

// Open lets the host answer with the starting page, unless the environment is
// live: what served before goes on serving while the next commit is made.
func (k *Kind) Open(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	starting, err := encode(Value{State: Starting, Commit: spec.Value.Commit})
	if err != nil {
		return err
	}
	return k.change(ctx, spec, func(current string) string {
		var value Value
		if json.Unmarshal([]byte(current), &value) == nil && value.State == Live {
			return current
		}
		return starting
	})
}

// Ensure publishes the value and returns the label. A value over 1 KB is a NoRoom
// fault; a store that others keep changing is a Throttled one.
func (k *Kind) Ensure(ctx context.Context, r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	if err != nil {
		return "", err
	}
	wanted, err := encode(spec.Value)
	if err != nil {
		return "", err
	}
	return spec.Label, k.change(ctx, spec, func(string) string { return wanted })
}

// Verify tells whether the key is there.
func (k *Kind) Verify(ctx context.Context, r kind.Resource) (bool, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return false, err
	}
	value, err := k.get(ctx, spec)
	return value != "", err
}

// Close lets the edge say that the environment was removed, if it knows of it. It
// comes before Remove: while a key changes an edge location may miss it, so that a
// missing key is no news of the end.
func (k *Kind) Close(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	gone, err := encode(Value{State: Gone})
	if err != nil {
		return err
	}
	return k.change(ctx, spec, func(current string) string {
		if current == "" {
			return ""
		}
		return gone
	})
}

// Remove deletes the key.
func (k *Kind) Remove(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	return k.change(ctx, spec, func(string) string { return "" })
}

// spec reads the specification of r and refuses a label that is not its
// environment's.
func (k *Kind) spec(r kind.Resource) (Spec, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return spec, err
	}
	if err := k.guard.Label(spec.Label); err != nil {
		return spec, err
	}
	if spec.Label != r.Environment || spec.Label == reserved {
		return spec, fault.New(statemachine.ErrForbidden, "the route %q is not that of environment %q", spec.Label, r.Environment).
			WithNext("Nothing was changed. This is a defect; tell the platform team.")
	}
	return spec, nil
}

func (k *Kind) get(ctx context.Context, spec Spec) (string, error) {
	out, err := k.store.GetKey(ctx, &cloudfrontkeyvaluestore.GetKeyInput{KvsARN: &spec.Store, Key: &spec.Label})
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read route %s: %w", spec.Label, err)
	}
	return aws.ToString(out.Value), nil
}

// Fits is the NoRoom fault of a value that the edge cannot hold.
func (v Value) Fits() error {
	_, err := encode(v)
	return err
}

func encode(value Value) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode route: %w", err)
	}
	if len(data) > maxValue {
		return "", fault.New(statemachine.ErrNoRoom,
			"The edge can hold %d bytes about an environment, and this one needs %d: it has %d services of its own.",
			maxValue, len(data), len(value.Overrides)).
			WithNext("Select fewer services, or let the platform team shorten their names.")
	}
	return string(data), nil
}

func missing(err error) bool {
	var gone *types.ResourceNotFoundException
	return errors.As(err, &gone)
}
