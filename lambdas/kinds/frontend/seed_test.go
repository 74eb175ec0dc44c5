package frontend_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/frontend"
)

// seed makes the buckets, the distribution and, unless it is nil, the zip.
func seed(t testing.TB, cfg aws.Config, archive []byte) kind.Resource {
	t.Helper()
	spec := frontend.Spec{
		Artifacts: "preview-artifacts", Key: "builds/web/abcd1234.zip", Site: "preview-site",
		Prefix: "pr1/abcd1234/", Distribution: distribution(t, cfg),
	}
	for _, bucket := range []string{spec.Artifacts, spec.Site} {
		if _, err := s3.NewFromConfig(cfg).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
	}
	if archive != nil {
		put(t, cfg, spec.Artifacts, spec.Key, archive)
	}
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return kind.Resource{Environment: "pr1", Name: "web", Incarnation: 1, Spec: data, Tags: kindtest.Tags(own.Prefix)}
}

func distribution(t testing.TB, cfg aws.Config) string {
	t.Helper()
	out, err := cloudfront.NewFromConfig(cfg).CreateDistribution(t.Context(), &cloudfront.CreateDistributionInput{
		DistributionConfig: &cloudfronttypes.DistributionConfig{
			CallerReference: aws.String("test"), Comment: aws.String(""), Enabled: aws.Bool(true),
			DefaultCacheBehavior: &cloudfronttypes.DefaultCacheBehavior{
				TargetOriginId: aws.String("site"), ViewerProtocolPolicy: cloudfronttypes.ViewerProtocolPolicyRedirectToHttps,
			},
			Origins: &cloudfronttypes.Origins{Quantity: aws.Int32(1), Items: []cloudfronttypes.Origin{{
				Id: aws.String("site"), DomainName: aws.String("preview-site.s3.amazonaws.com"),
				S3OriginConfig: &cloudfronttypes.S3OriginConfig{OriginAccessIdentity: aws.String("")},
			}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Distribution.Id
}

func put(t testing.TB, cfg aws.Config, bucket, key string, content []byte) {
	t.Helper()
	_, err := s3.NewFromConfig(cfg).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, cfg aws.Config, key string) (content []byte, headers [2]string) {
	t.Helper()
	out, err := s3.NewFromConfig(cfg).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("preview-site"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	if content, err = io.ReadAll(out.Body); err != nil {
		t.Fatal(err)
	}
	return content, [2]string{aws.ToString(out.ContentType), aws.ToString(out.CacheControl)}
}

// made is the objects below the prefix of r, with their tags.
func made(t testing.TB, cfg aws.Config, r kind.Resource) map[string]map[string]string {
	t.Helper()
	spec, err := kind.Decode[frontend.Spec](r)
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(cfg)
	out, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &spec.Site, Prefix: &spec.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]map[string]string{}
	for _, o := range out.Contents {
		tags, err := client.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &spec.Site, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		objects[*o.Key] = map[string]string{}
		for _, tag := range tags.TagSet {
			objects[*o.Key][*tag.Key] = *tag.Value
		}
	}
	return objects
}

// invalidated is every path that the edge was asked to forget.
func invalidated(t testing.TB, cfg aws.Config, r kind.Resource) (paths []string) {
	t.Helper()
	spec, err := kind.Decode[frontend.Spec](r)
	if err != nil {
		t.Fatal(err)
	}
	client := cloudfront.NewFromConfig(cfg)
	list, err := client.ListInvalidations(t.Context(), &cloudfront.ListInvalidationsInput{DistributionId: &spec.Distribution})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list.InvalidationList.Items {
		out, err := client.GetInvalidation(t.Context(), &cloudfront.GetInvalidationInput{DistributionId: &spec.Distribution, Id: item.Id})
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, out.Invalidation.InvalidationBatch.Paths.Items...)
	}
	return paths
}

// retag gives every object below the prefix of r other tags.
func retag(t testing.TB, cfg aws.Config, r kind.Resource, change map[string]string) {
	t.Helper()
	for key, tags := range made(t, cfg, r) {
		var set []s3types.Tag
		maps.Copy(tags, change)
		for name, value := range tags {
			if value != "" {
				set = append(set, s3types.Tag{Key: &name, Value: &value})
			}
		}
		if _, err := s3.NewFromConfig(cfg).PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
			Bucket: aws.String("preview-site"), Key: &key, Tagging: &s3types.Tagging{TagSet: set},
		}); err != nil {
			t.Fatal(err)
		}
	}
}
