package frontend

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // what S3 calls the ETag of an object, not a protection
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

const (
	// workers upload side by side; S3 takes 3,500 writes a second below a prefix
	// (docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html).
	workers = 32
	// maxInMemory is the largest file that a worker holds; a larger one is spooled.
	maxInMemory = 1 << 20
	// maxSpooled is the room for spooled files, below the 512 MB that a function
	// has in /tmp unless it is given more
	// (docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html).
	maxSpooled = 400 << 20
)

// uploader puts the files of a build below its prefix.
type uploader struct {
	s3    storage
	spec  Spec
	tags  string
	there map[string]object // by key
	disk  *semaphore.Weighted
}

func newUploader(storage storage, spec Spec, tags map[string]string, there map[string]object) *uploader {
	values := url.Values{}
	for key, value := range tags {
		values.Set(key, value)
	}
	return &uploader{s3: storage, spec: spec, tags: values.Encode(), there: there, disk: semaphore.NewWeighted(maxSpooled)}
}

// upload puts all files but the last side by side, and the last one after them.
func (u *uploader) upload(ctx context.Context, files []*zip.File) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, file := range files[:len(files)-1] {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error { return u.put(inner, file) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return u.put(ctx, files[len(files)-1])
}

// put uploads one file unless it is there with the same content.
func (u *uploader) put(ctx context.Context, file *zip.File) error {
	if file.UncompressedSize64 > maxSpooled {
		return refuse("The file %s of the build has %d MB; at most %d are taken.", file.Name, file.UncompressedSize64>>20, maxSpooled>>20)
	}
	if file.UncompressedSize64 <= maxInMemory {
		content := bytes.NewBuffer(make([]byte, 0, file.UncompressedSize64))
		sum, err := unpack(content, file)
		if err != nil {
			return err
		}
		return u.send(ctx, file, bytes.NewReader(content.Bytes()), sum)
	}
	size := int64(file.UncompressedSize64) //nolint:gosec // bounded when the directory was read
	if err := u.disk.Acquire(ctx, size); err != nil {
		return fmt.Errorf("wait for room to unpack %s: %w", file.Name, err)
	}
	defer u.disk.Release(size)
	return u.spool(ctx, file)
}

// spool sends a file by way of the disk: S3 wants to know the checksum before the
// content, so that the content is read twice.
func (u *uploader) spool(ctx context.Context, file *zip.File) error {
	content, err := os.CreateTemp("", "previewenv-*")
	if err != nil {
		return fmt.Errorf("unpack %s: %w", file.Name, err)
	}
	defer func() {
		_ = content.Close()
		_ = os.Remove(content.Name())
	}()
	sum, err := unpack(content, file)
	if err != nil {
		return err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("unpack %s: %w", file.Name, err)
	}
	return u.send(ctx, file, content, sum)
}

// unpack writes the content of a file and returns its MD5 as S3 has it. It writes
// no more than the size that the archive's directory says.
func unpack(to io.Writer, file *zip.File) (string, error) {
	from, err := file.Open()
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", file.Name, damaged(err))
	}
	defer func() { _ = from.Close() }()
	sum := md5.New()                                                  //nolint:gosec // see the import
	if _, err := io.Copy(io.MultiWriter(to, sum), from); err != nil { //nolint:gosec // sizes were bounded when the directory was read
		return "", fmt.Errorf("unpack %s: %w", file.Name, damaged(err))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (u *uploader) send(ctx context.Context, file *zip.File, content io.ReadSeeker, sum string) error {
	key := u.spec.Prefix + file.Name
	size := int64(file.UncompressedSize64) //nolint:gosec // bounded when the directory was read
	if is, ok := u.there[key]; ok && is.size == size && is.etag == sum {
		return nil
	}
	_, err := u.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &u.spec.Site, Key: &key, Body: content, ContentLength: &size,
		ContentType:  aws.String(contentType(file.Name)),
		CacheControl: aws.String(cacheControl(file.Name)),
		Tagging:      &u.tags,
	})
	if err != nil {
		return fmt.Errorf("upload s3://%s/%s: %w", u.spec.Site, key, err)
	}
	return nil
}
