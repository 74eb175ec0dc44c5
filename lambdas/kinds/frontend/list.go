package frontend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// object is what a listing says of an object.
type object struct {
	size     int64
	etag     string // without quotes; the MD5 of the content unless KMS encrypts it
	modified time.Time
}

// list returns every object below the prefix, by key. A bucket that is not there
// holds none.
func (k *Kind) list(ctx context.Context, spec Spec) (map[string]object, error) {
	objects := map[string]object{}
	pages := s3.NewListObjectsV2Paginator(k.s3, &s3.ListObjectsV2Input{Bucket: &spec.Site, Prefix: &spec.Prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if noBucket(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list objects below %s: %w", spec.Prefix, err)
		}
		for _, o := range page.Contents {
			objects[aws.ToString(o.Key)] = object{
				size: aws.ToInt64(o.Size), etag: strings.Trim(aws.ToString(o.ETag), `"`), modified: aws.ToTime(o.LastModified),
			}
		}
	}
	return objects, nil
}

func noBucket(err error) bool {
	var gone *types.NoSuchBucket
	return errors.As(err, &gone)
}
