package frontend

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// A build beyond these is a mistake (a node_modules in the output, a zip bomb),
// and would not be uploaded within a function's 15 minutes.
const (
	maxFiles   = 50_000
	maxBytes   = 2 << 30
	indexPage  = "index.html"
	nextOutput = "Look at the build's log, and at the output folder of the frontend in the catalog."
)

// open reads the directory of the zip and returns its files, index.html last.
func (k *Kind) open(ctx context.Context, spec Spec) ([]*zip.File, error) {
	head, err := k.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &spec.Artifacts, Key: &spec.Key})
	var missing *types.NotFound
	if errors.As(err, &missing) || noBucket(err) {
		f := refuse("The build left no archive: s3://%s/%s is not there.", spec.Artifacts, spec.Key)
		f.Cause = err
		return nil, f
	}
	if err != nil {
		return nil, fmt.Errorf("look at s3://%s/%s: %w", spec.Artifacts, spec.Key, err)
	}
	size := aws.ToInt64(head.ContentLength)
	if size > maxBytes {
		return nil, refuse("The build's archive has %d MB; at most %d are taken.", size>>20, maxBytes>>20)
	}
	from := newRanged(size, func(from, to int64) ([]byte, error) {
		return k.read(ctx, spec, aws.ToString(head.ETag), from, to)
	})
	archive, err := zip.NewReader(from, size)
	if err != nil {
		return nil, damaged(err)
	}
	return choose(archive.File)
}

// read returns the bytes from, up to and without to, of one version of the zip:
// another build in its place is an error, not a mixture.
func (k *Kind) read(ctx context.Context, spec Spec, etag string, from, to int64) ([]byte, error) {
	out, err := k.s3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &spec.Artifacts, Key: &spec.Key, IfMatch: &etag,
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1)),
	})
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", spec.Artifacts, spec.Key, err)
	}
	defer func() { _ = out.Body.Close() }()
	data := make([]byte, to-from)
	if _, err := io.ReadFull(out.Body, data); err != nil {
		// Not %w: an archive that ends early has the same error, and is another fault.
		return nil, fmt.Errorf("read s3://%s/%s: the answer ended early: %v", spec.Artifacts, spec.Key, err) //nolint:errorlint // see above
	}
	return data, nil
}

// choose returns the files of a build, index.html last, so that no page is there
// before what it loads. It refuses what is no build.
func choose(entries []*zip.File) ([]*zip.File, error) {
	var total uint64
	var files []*zip.File
	seen := map[string]bool{}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name, "/") {
			continue
		}
		if !clean(entry.Name) || !entry.Mode().IsRegular() || seen[entry.Name] {
			return nil, refuse("The build's archive holds %q, which is no plain file below its top, or is there twice.", entry.Name)
		}
		seen[entry.Name] = true
		files = append(files, entry)
		// Checked at each step: the sum of made-up sizes could wrap around.
		total += min(entry.UncompressedSize64, maxBytes+1)
		if total > maxBytes || len(files) > maxFiles {
			return nil, refuse("The build has more than %d files or %d MB.", maxFiles, maxBytes>>20)
		}
	}
	switch {
	case len(files) == 0:
		return nil, refuse("The build produced nothing: its archive is empty.")
	case !seen[indexPage]:
		return nil, refuse("The build produced no %s at the top of its output.", indexPage)
	}
	at := slices.IndexFunc(files, func(f *zip.File) bool { return f.Name == indexPage })
	return append(slices.Delete(slices.Clone(files), at, at+1), files[at]), nil
}

// clean tells whether a name stays where it is put, on S3 and in a URL.
func clean(name string) bool {
	return name != "" && !strings.HasPrefix(name, "/") && !strings.ContainsAny(name, "\\\x00") &&
		path.Clean(name) == name && name != ".." && !strings.HasPrefix(name, "../")
}

// damaged is the fault behind an error of the zip; any other error is itself.
func damaged(err error) error {
	var corrupt flate.CorruptInputError
	if !errors.As(err, &corrupt) && !errors.Is(err, zip.ErrFormat) && !errors.Is(err, zip.ErrChecksum) &&
		!errors.Is(err, zip.ErrAlgorithm) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	f := refuse("The build's archive is damaged: %v.", err)
	f.Cause = err
	return f
}

func refuse(format string, args ...any) *fault.Fault {
	return fault.New(statemachine.ErrBuildFailed, format, args...).WithNext(nextOutput)
}
