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
	DescribeImages(context.Context, *ecr.DescribeImagesInput, ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error)
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
	if _, there := errors.AsType[*types.ImageAlreadyExistsException](err); there {
		err = same(ctx, api, repository, tag.TagStr(), hash.String())
	}
	if err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return hash.String(), nil
}

// same tells another image under the tag from this one. ECR has an error for each;
// moto answers ImageAlreadyExistsException for both.
func same(ctx context.Context, api API, repository, tag, digest string) error {
	out, err := api.DescribeImages(ctx, &ecr.DescribeImagesInput{
		RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageTag: &tag}},
	})
	if err != nil {
		return fmt.Errorf("describe image: %w", err)
	}
	if len(out.ImageDetails) == 1 && aws.ToString(out.ImageDetails[0].ImageDigest) == digest {
		return nil
	}
	return &types.ImageTagAlreadyExistsException{Message: aws.String(fmt.Sprintf(
		"the image tag %q already exists in the %q repository and cannot be overwritten because the tag is immutable", tag, repository))}
}
