package route

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

var _ kind.Sweepable = (*Kind)(nil)

// List finds every key that is a label, but for the reserved one.
func (k *Kind) List(ctx context.Context, b kind.Bounds) ([]kind.Resource, error) {
	var found []kind.Resource
	pages := cloudfrontkeyvaluestore.NewListKeysPaginator(k.store, &cloudfrontkeyvaluestore.ListKeysInput{KvsARN: &b.KeyValueStore})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if missing(err) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		for _, item := range page.Items {
			label := aws.ToString(item.Key)
			if k.guard.Label(label) != nil || label == reserved {
				continue
			}
			r, err := kind.Found(Spec{Store: b.KeyValueStore, Label: label}, label, label, nil)
			if err != nil {
				return nil, err
			}
			r.Environment = label
			found = append(found, r)
		}
	}
	return found, nil
}

// Adopt finds nothing: a key bears no tags.
func (k *Kind) Adopt(context.Context, string, map[string]string, kind.Bounds) (kind.Resource, bool, error) {
	return kind.Resource{}, false, nil
}

// Owned tells whether the key is one of ours, by its value: the store is the
// installation's own, but a person may have put something into it by hand.
func (k *Kind) Owned(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	current, err := k.get(ctx, spec)
	if err != nil {
		return err
	}
	return ours(spec.Label, current)
}

// ours refuses a value that is none of ours: these are objects with a state. It asks
// for no more, so that the value of another release is known too.
func ours(label, value string) error {
	var v struct {
		State string `json:"state"`
	}
	if value == "" || json.Unmarshal([]byte(value), &v) == nil && v.State != "" {
		return nil
	}
	return fault.New(statemachine.ErrForbidden, "The key %q of the edge's store is not ours: its value is not that of an environment.", label).
		WithNext("Nothing was changed. Delete it by hand if it is a leftover.")
}

// Identify is the label.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	return spec.Label, err
}
