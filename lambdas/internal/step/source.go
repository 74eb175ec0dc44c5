package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/source"
	"previewenv/statemachine"
)

type tarballs interface {
	Tarball(ctx context.Context, repo, commit string) (io.ReadCloser, error)
}

type uploadAPI interface {
	UploadObject(context.Context, *transfermanager.UploadObjectInput, ...func(*transfermanager.Options)) (*transfermanager.UploadObjectOutput, error)
}

// commitOfSource is the metadata of a source that names its commit: by it the end of a
// build finds who waits, however early the end is told.
const commitOfSource = "commit"

// sourceKey is where the project of a service reads its source: each commit is a
// version of that one object.
func sourceKey(service string) string { return "sources/" + service + ".zip" }

// storeSource puts the source of exactly the commit where the builds of the service
// read it, and returns its version. The build itself holds no right to reach GitHub.
// Nothing is held whole, and a source that is refused half-way leaves no object.
func (b *Build) storeSource(ctx context.Context, j job) (version string, err error) {
	settings, err := b.Settings(ctx)
	if err != nil {
		return "", err
	}
	began := b.Now()
	tarball, err := b.GitHub.Tarball(ctx, settings.Repositories[j.Definition.Repository].GitHub, j.Commit)
	if err != nil {
		return "", err
	}
	defer tarball.Close()
	reader, writer := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := source.Pack(writer, tarball, j.Commit)
		_ = writer.CloseWithError(err) // it returns no error
		packed <- err
	}()
	out, err := b.Uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &b.Config.Sources, Key: aws.String(sourceKey(j.Service)), Body: reader,
		ContentType: aws.String("application/zip"), Metadata: map[string]string{commitOfSource: j.Commit},
	})
	_ = reader.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // so that Pack ends if nobody reads on
	if refused := <-packed; refused != nil && !errors.Is(refused, io.ErrClosedPipe) {
		return "", unusable(j, refused)
	}
	if err != nil {
		return "", fmt.Errorf("store source of %s at %s: %w", j.Service, j.Commit, err)
	}
	version = aws.ToString(out.VersionID)
	if version == "" {
		return "", fault.New(statemachine.ErrInternal, "the bucket %s keeps no versions.", b.Config.Sources).
			WithNext("Tell the platform team: builds name the version that they build.")
	}
	b.Log.Info("source stored", "name", j.Service, "commit", j.Commit, "version", version, "took", b.Now().Sub(began).Round(time.Millisecond).String())
	return version, nil
}

// unusable says why the source of a commit cannot be built.
func unusable(j job, err error) error {
	switch {
	case errors.Is(err, source.ErrOtherCommit):
		return fault.New(statemachine.ErrInternal, "GitHub sent another source than that of commit %s; it was not built.", j.Commit).
			WithNext("Ask again; if it stays, tell the platform team.")
	case errors.Is(err, source.ErrTooLarge), errors.Is(err, source.ErrUnsafe):
		return fault.New(statemachine.ErrBuildFailed, "the source cannot be built: %s.", err).
			WithNext("Take it out of the commit, or mark it export-ignore in .gitattributes.")
	}
	// The download broke off: the next one may not.
	f := fault.New(statemachine.ErrUnavailable, "the download of commit %s from GitHub broke off.", j.Commit).WithNext("Try again in a minute.")
	f.Cause = err
	return f
}

// commitOf is the commit that a version of a source was made of; it is empty when the
// version is there no more.
func (b *Build) commitOf(ctx context.Context, service, version string) (string, error) {
	if version == "" {
		return "", nil // somebody started the build by hand
	}
	out, err := b.S3.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.Config.Sources, Key: aws.String(sourceKey(service)), VersionId: &version,
	})
	var missing *s3types.NotFound
	if errors.As(err, &missing) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up source %s of %s: %w", version, service, err)
	}
	return out.Metadata[commitOfSource], nil
}
