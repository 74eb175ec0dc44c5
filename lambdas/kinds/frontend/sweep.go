package frontend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"previewenv/lambdas/internal/kind"
)

var _ kind.Sweepable = (*Kind)(nil)

// List finds every prefix <label>/<commit>/ of the site bucket. That of the
// baseline's frontend is none.
func (k *Kind) List(ctx context.Context, b kind.Bounds) ([]kind.Resource, error) {
	labels, err := k.prefixes(ctx, b.Site, "")
	if err != nil {
		return nil, err
	}
	var found []kind.Resource
	for _, top := range labels {
		label := strings.TrimSuffix(top, "/")
		if k.guard.Label(label) != nil {
			continue
		}
		builds, err := k.prefixes(ctx, b.Site, top)
		if err != nil {
			return nil, err
		}
		for _, prefix := range builds {
			if k.guard.ObjectPrefix(prefix, label) != nil {
				continue
			}
			r, err := kind.Found(Spec{Site: b.Site, Prefix: prefix, Distribution: b.Distribution}, prefix, prefix, nil)
			if err != nil {
				return nil, err
			}
			r.Environment = label
			found = append(found, r)
		}
	}
	return found, nil
}

// Adopt finds nothing: the tag index does not have objects.
func (k *Kind) Adopt(context.Context, string, map[string]string, kind.Bounds) (kind.Resource, bool, error) {
	return kind.Resource{}, false, nil
}

// Identify is the prefix within the one site bucket.
func (k *Kind) Identify(r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	return spec.Prefix, err
}

// Owned tells whether what lies below the prefix bears the tags of the environment.
// The bucket is the installation's own and the prefix <label>/<commit>/, so that one
// object tells it of all.
func (k *Kind) Owned(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	objects, err := k.list(ctx, spec)
	if err != nil {
		return err
	}
	return k.owned(ctx, r, spec, objects)
}

func (k *Kind) owned(ctx context.Context, r kind.Resource, spec Spec, objects map[string]object) error {
	if len(objects) == 0 {
		return nil
	}
	key := sorted(objects)[0]
	out, err := k.s3.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &spec.Site, Key: &key})
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == (&types.NoSuchKey{}).ErrorCode() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read tags of s3://%s/%s: %w", spec.Site, key, err)
	}
	tags := map[string]string{}
	for _, tag := range out.TagSet {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return k.guard.Owns("object "+spec.Site+"/"+key, tags, r.Environment)
}

// prefixes are the common prefixes one level below another, each with its slash.
func (k *Kind) prefixes(ctx context.Context, bucket, below string) ([]string, error) {
	var all []string
	pages := s3.NewListObjectsV2Paginator(k.s3, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &below, Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if noBucket(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list prefixes of %s below %q: %w", bucket, below, err)
		}
		for _, p := range page.CommonPrefixes {
			all = append(all, aws.ToString(p.Prefix))
		}
	}
	return all, nil
}
