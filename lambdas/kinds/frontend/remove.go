package frontend

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

// maxDelete is how many keys one DeleteObjects takes
// (docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
const maxDelete = 1000

// Remove deletes every object below the prefix and invalidates the edge's copies,
// once, if there was any.
func (k *Kind) Remove(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	objects, err := k.list(ctx, spec)
	if err != nil || len(objects) == 0 {
		return err
	}
	if err := k.owned(ctx, r, spec, objects); err != nil {
		return err
	}
	// One object goes after the invalidation: where that fails, a retry still sees
	// that there is something to do.
	keys := sorted(objects)
	if err := k.delete(ctx, spec.Site, keys[1:]); err != nil {
		return err
	}
	last := keys[0]
	if err := k.invalidate(ctx, spec, fmt.Sprintf("%s#%d#%d", spec.Prefix, r.Incarnation, objects[last].modified.Unix())); err != nil {
		return err
	}
	return k.delete(ctx, spec.Site, []string{last})
}

// sorted is every key in order, pages behind the rest so that none of them is
// the object that goes last.
func sorted(objects map[string]object) []string {
	keys := make([]string, 0, len(objects))
	for key := range objects {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if isPage(a) != isPage(b) {
			if isPage(b) {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return keys
}

func isPage(key string) bool { return path.Ext(key) == ".html" }

func (k *Kind) delete(ctx context.Context, bucket string, keys []string) error {
	for batch := range slices.Chunk(keys, maxDelete) {
		ids := make([]types.ObjectIdentifier, len(batch))
		for i, key := range batch {
			ids[i].Key = aws.String(key)
		}
		out, err := k.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return fmt.Errorf("delete %d objects of %s: %w", len(batch), bucket, err)
		}
		// A batch can half succeed, with 200.
		if len(out.Errors) > 0 {
			first := out.Errors[0]
			return fmt.Errorf("delete objects of %s: %d of %d are left, the first is %s: %s: %s", bucket, len(out.Errors), len(batch),
				aws.ToString(first.Key), aws.ToString(first.Code), aws.ToString(first.Message))
		}
	}
	return nil
}

// invalidate is one path, whatever is below it. CloudFront answers a reference
// that it has seen with the invalidation that it made then.
func (k *Kind) invalidate(ctx context.Context, spec Spec, reference string) error {
	_, err := k.edge.CreateInvalidation(ctx, &cloudfront.CreateInvalidationInput{
		DistributionId: &spec.Distribution,
		InvalidationBatch: &cloudfronttypes.InvalidationBatch{
			CallerReference: &reference,
			Paths:           &cloudfronttypes.Paths{Quantity: aws.Int32(1), Items: []string{"/" + spec.Prefix + "*"}},
		},
	})
	var gone *cloudfronttypes.NoSuchDistribution
	var many *cloudfronttypes.TooManyInvalidationsInProgress
	switch {
	case err == nil, errors.As(err, &gone):
		return nil
	case errors.As(err, &many):
		f := fault.New(statemachine.ErrThrottled, "CloudFront takes no more invalidations at the moment.")
		f.Cause = err
		return f
	}
	return fmt.Errorf("invalidate /%s*: %w", spec.Prefix, err)
}
