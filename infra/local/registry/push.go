package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/name"
)

// API is what Push calls of ECR.
type API interface {
	DescribeRepositories(context.Context, *ecr.DescribeRepositoriesInput, ...func(*ecr.Options)) (*ecr.DescribeRepositoriesOutput, error)
	PutImage(context.Context, *ecr.PutImageInput, ...func(*ecr.Options)) (*ecr.PutImageOutput, error)
}

// Push puts the manifest of a tag to ECR and returns its digest; the layers stay in
// the store. Pushing the same image twice is no error; another one under a tag that
// is immutable is.
func (s Store) Push(ctx context.Context, api API, ref string) (digest string, err error) {
	tag, err := name.NewTag(ref)
	if err != nil {
		return "", fmt.Errorf("read tag %q: %w", ref, err)
	}
	hash, err := s.Resolve(ref)
	if err != nil {
		return "", err
	}
	image, err := s.image(hash)
	if err != nil {
		return "", err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return "", fmt.Errorf("read manifest of %s: %w", ref, err)
	}
	media, err := image.MediaType()
	if err != nil {
		return "", fmt.Errorf("read manifest of %s: %w", ref, err)
	}
	repository := tag.RepositoryStr()
	// moto answers PutImage to a repository that is not there with status 500, which
	// the SDK would retry; ECR and moto agree on this call.
	_, err = api.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{repository}})
	if err != nil {
		return "", fmt.Errorf("find repository %s: %w", repository, err)
	}
	_, err = api.PutImage(ctx, &ecr.PutImageInput{
		RepositoryName: &repository, ImageTag: aws.String(tag.TagStr()), ImageDigest: aws.String(hash.String()),
		ImageManifest: aws.String(string(manifest)), ImageManifestMediaType: aws.String(string(media)),
	})
	if _, same := errors.AsType[*types.ImageAlreadyExistsException](err); same {
		return hash.String(), nil
	}
	if err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return hash.String(), nil
}
