// Package frontend puts one build of a frontend behind the edge: the files of the
// zip that the build left in the artifact bucket, below the prefix
// <label>/<commit>/ of the site bucket. Nothing is overwritten by another build,
// and no viewer sees the prefix before the route points to it. Removal deletes
// every object below the prefix and invalidates the edge's copies once; it leaves
// the zip, whose bucket expires it. The package does not know the route.
package frontend

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
)

//go:embed example.json
var example []byte

type storage interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	GetObjectTagging(context.Context, *s3.GetObjectTaggingInput, ...func(*s3.Options)) (*s3.GetObjectTaggingOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
}

type edge interface {
	CreateInvalidation(context.Context, *cloudfront.CreateInvalidationInput, ...func(*cloudfront.Options)) (*cloudfront.CreateInvalidationOutput, error)
}

// Kind makes, looks at and removes builds of a frontend.
type Kind struct {
	s3    storage
	edge  edge
	guard guard.Guard
}

// New returns the kind over clients of S3 and CloudFront.
func New(storage storage, edge edge, g guard.Guard) *Kind {
	return &Kind{s3: storage, edge: edge, guard: g}
}

// FromConfig returns the kind over clients of its own.
func FromConfig(cfg aws.Config, g guard.Guard) *Kind {
	storage := s3.NewFromConfig(cfg, func(o *s3.Options) {
		// Part of an object has no checksum; each read would log that it was not checked.
		o.DisableLogOutputChecksumValidationSkipped = true
		// The SDK keeps 10 idle connections a host; the workers beyond would each
		// open a new one for every file.
		if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = workers })
		}
	})
	return New(storage, cloudfront.NewFromConfig(cfg), g)
}

// Info describes the kind. It goes last: until the route is gone, viewers read it.
func Info() kind.Info {
	return kind.Info{
		Name: "frontend",
		Rank: 60,
		Grants: []kind.Grant{
			{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:${Partition}:s3:::${Artifacts}/builds/*"}},
			{
				Actions:   []string{"s3:PutObject", "s3:PutObjectTagging", "s3:GetObjectTagging", "s3:DeleteObject"},
				Resources: []string{"arn:${Partition}:s3:::${Site}/*"},
			},
			keepDefault("s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"),
			{
				// Without the right to list, S3 answers 403 for a zip that is not there.
				Actions:   []string{"s3:ListBucket"},
				Resources: []string{"arn:${Partition}:s3:::${Site}", "arn:${Partition}:s3:::${Artifacts}"},
			},
			{
				Actions:   []string{"cloudfront:CreateInvalidation"},
				Resources: []string{"arn:${Partition}:cloudfront::${Account}:distribution/${Distribution}"},
			},
		},
		Sweep: []kind.Grant{
			{Actions: []string{"s3:GetObjectTagging", "s3:DeleteObject"}, Resources: []string{"arn:${Partition}:s3:::${Site}/*"}},
			keepDefault("s3:DeleteObject"),
			{Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:${Partition}:s3:::${Site}"}},
			{
				Actions:   []string{"cloudfront:CreateInvalidation"},
				Resources: []string{"arn:${Partition}:cloudfront::${Account}:distribution/${Distribution}"},
			},
		},
		Example: example,
	}
}

// keepDefault denies what would change the baseline's frontend.
func keepDefault(actions ...string) kind.Grant {
	return kind.Grant{Deny: true, Actions: actions, Resources: []string{"arn:${Partition}:s3:::${Site}/default/*"}}
}

// Ensure uploads whatever of the build is not there yet, index.html last, and
// returns the prefix. A build that is missing, damaged, empty, without an
// index.html or too large is a BuildFailed fault.
func (k *Kind) Ensure(ctx context.Context, r kind.Resource) (string, error) {
	spec, err := k.spec(r)
	if err != nil {
		return "", err
	}
	build, err := k.open(ctx, spec)
	if err != nil {
		return "", err
	}
	there, err := k.list(ctx, spec)
	if err != nil {
		return "", err
	}
	if err := k.owned(ctx, r, spec, there); err != nil {
		return "", err
	}
	u := newUploader(k.s3, spec, r.Tags, there)
	if err := u.upload(ctx, build); err != nil {
		return "", err
	}
	return spec.Prefix, nil
}

// Verify tells whether any object is left below the prefix.
func (k *Kind) Verify(ctx context.Context, r kind.Resource) (bool, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return false, err
	}
	out, err := k.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &spec.Site, Prefix: &spec.Prefix, MaxKeys: aws.Int32(1),
	})
	if noBucket(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list objects below %s: %w", spec.Prefix, err)
	}
	return len(out.Contents) > 0, nil
}

// spec reads the specification of r and refuses a prefix that is not the
// environment's.
func (k *Kind) spec(r kind.Resource) (Spec, error) {
	spec, err := kind.Decode[Spec](r)
	if err != nil {
		return spec, err
	}
	return spec, k.guard.ObjectPrefix(spec.Prefix, r.Environment)
}
