package step

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// built looks the result up where the next step will take it from.
func (b *Build) built(ctx context.Context, j job) (bool, error) {
	if j.Definition.Frontend != nil {
		_, err := b.S3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.Config.Artifacts, Key: aws.String(artifactKey(j.Service, j.Commit))})
		var missing *s3types.NotFound
		if errors.As(err, &missing) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look up build of %s at %s: %w", j.Service, j.Commit, err)
		}
		return true, nil
	}
	_, repository, _ := strings.Cut(b.Config.Registry, "/")
	out, err := b.ECR.BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RepositoryName: aws.String(repository + "/" + j.Service),
		ImageIds:       []ecrtypes.ImageIdentifier{{ImageTag: aws.String(j.Commit)}},
	})
	var missing *ecrtypes.RepositoryNotFoundException
	if errors.As(err, &missing) {
		return false, fault.New(statemachine.ErrNoBaseline, "there is no ECR repository %s/%s.", repository, j.Service).
			WithNext("The platform team deploys the catalog's pipelines (cdk deploy).")
	}
	if err != nil {
		return false, fmt.Errorf("look up image of %s at %s: %w", j.Service, j.Commit, err)
	}
	return len(out.Images) > 0, nil
}

// left tells whether a build that succeeded left something: a frontend's is put where
// it is looked for by its commit.
func (b *Build) left(ctx context.Context, j job, r result) (bool, error) {
	if j.Definition.Frontend != nil {
		return b.keep(ctx, j, r)
	}
	return b.pushed(ctx, j)
}

// outputs is below what builds of a service may write; each build has a folder of its
// own.
func outputs(service string) string { return "outputs/" + service + "/" }

// keep copies the output of a build to where its commit is looked for. The build
// cannot write there: code that nobody has reviewed would leave a result for commits
// that are none of its own.
func (b *Build) keep(ctx context.Context, j job, r result) (bool, error) {
	bucket := b.Config.Artifacts
	key, ours := strings.CutPrefix(r.Output, "arn:aws:s3:::"+bucket+"/")
	if !ours || !strings.HasPrefix(key, outputs(j.Service)) {
		return false, nil
	}
	_, err := b.S3.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &bucket, Key: aws.String(artifactKey(j.Service, j.Commit)), CopySource: aws.String(bucket + "/" + (&url.URL{Path: key}).EscapedPath()),
	})
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "NoSuchKey" {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("keep build of %s at %s: %w", j.Service, j.Commit, err)
	}
	return true, nil
}

// pushed looks for an image again for a moment before it says no: no registry promises
// that a look sees what was pushed just before.
func (b *Build) pushed(ctx context.Context, j job) (bool, error) {
	const looks, between = 4, time.Second
	for look := 1; ; look++ {
		if built, err := b.built(ctx, j); built || err != nil || look == looks {
			return built, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(between):
		}
	}
}
