package codebuild

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// unpack puts the files of a ZIP in S3, bucket/key, into dir: of the version that is
// named, or of the newest.
func (b *Builds) unpack(ctx context.Context, location, version, dir string) error {
	bucket, key, _ := strings.Cut(location, "/")
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	object, err := b.s3.GetObject(ctx, in)
	if err != nil {
		return fmt.Errorf("download source %s, version %q: %w", location, version, err)
	}
	defer func() { _ = object.Body.Close() }()
	file, err := os.Create(dir + ".zip")
	if err != nil {
		return fmt.Errorf("download source: %w", err)
	}
	size, err := io.Copy(file, object.Body)
	defer func() { _ = file.Close() }()
	if err != nil {
		return fmt.Errorf("download source %s: %w", location, err)
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return fmt.Errorf("unzip source: %w", err)
	}
	for _, f := range archive.File {
		if err := extract(f, dir); err != nil {
			return fmt.Errorf("unzip %s: %w", f.Name, err)
		}
	}
	return nil
}

// extract writes one file, folder or symbolic link, with its mode.
func extract(f *zip.File, dir string) error {
	if !filepath.IsLocal(f.Name) {
		return errors.New("its path leaves the source")
	}
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	if f.Mode().IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if f.Mode()&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return os.Symlink(string(target), path)
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, f.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
