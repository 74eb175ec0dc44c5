package route

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"

	"previewenv/lambdas/internal/kind"
)

var _ kind.Sweepable = (*Kind)(nil)

// List finds every key that is a label. The store is the installation's own, so
// that no other key of that shape can be in it but the reserved one.
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

// Identify is the label.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	return spec.Label, err
}
