package codebuild

import (
	"archive/zip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// collect lists the files below the base directory that the patterns take, sorted,
// with slashes, relative to it.
func collect(source string, a artifacts) (base string, files []string, err error) {
	if a.BaseDirectory != "" && !filepath.IsLocal(a.BaseDirectory) {
		return "", nil, fmt.Errorf("base directory %q is not in the source", a.BaseDirectory)
	}
	base = filepath.Join(source, a.BaseDirectory)
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		return "", nil, fmt.Errorf("no matching base directory path found for %s", a.BaseDirectory)
	}
	take, leave := globs(a.Files), globs(a.ExcludePaths)
	err = filepath.WalkDir(base, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(base, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.Type().IsRegular() && take(name) && !leave(name) {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		return "", nil, fmt.Errorf("look for artifacts: %w", err)
	}
	if len(files) == 0 {
		return "", nil, errors.New("no matching artifact paths found")
	}
	return base, files, nil
}

// globs tells whether a path matches one of the patterns, where ** crosses
// folders and * does not.
func globs(patterns []string) func(string) bool {
	var all []*regexp.Regexp
	for _, p := range patterns {
		p = regexp.QuoteMeta(strings.TrimPrefix(path.Clean(filepath.ToSlash(p)), "./"))
		p = strings.NewReplacer(`\*\*/`, `(?:.*/)?`, `\*\*`, `.*`, `\*`, `[^/]*`, `\?`, `[^/]`).Replace(p)
		all = append(all, regexp.MustCompile("^"+p+"$"))
	}
	return func(name string) bool {
		for _, p := range all {
			if p.MatchString(name) {
				return true
			}
		}
		return false
	}
}

// upload puts the artifacts of the build's source into S3, as one zip or as they are.
func (b *Builds) upload(ctx context.Context, r *build, source string, a artifacts) error {
	base, files, err := collect(source, a)
	if err != nil {
		return err
	}
	stored := func(file string) string {
		if a.DiscardPaths {
			return path.Base(file)
		}
		return file
	}
	to := r.spec.artifacts
	key := to.key(r.out.ID, a.Name)
	if to.Packaging != "ZIP" {
		for _, file := range files {
			if err := b.putFile(ctx, to.Location, path.Join(key, stored(file)), filepath.Join(base, file)); err != nil {
				return err
			}
		}
		return nil
	}
	archive := source + ".zip"
	defer func() { _ = os.Remove(archive) }()
	state, err := pack(archive, base, files, stored)
	if err != nil {
		return err
	}
	state.Location = "arn:aws:s3:::" + to.Location + "/" + key
	if err := b.putFile(ctx, to.Location, key, archive); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Artifacts = state
	return nil
}

func (b *Builds) putFile(ctx context.Context, bucket, key, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open artifact: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String(key), Body: f}); err != nil {
		return fmt.Errorf("put artifact %s: %w", key, err)
	}
	return nil
}

// pack writes a zip of files and returns its sums.
func pack(archive, base string, files []string, stored func(string) string) (artifactState, error) {
	f, err := os.Create(archive)
	if err != nil {
		return artifactState{}, fmt.Errorf("create zip: %w", err)
	}
	md5sum, sha256sum := md5.New(), sha256.New()
	z := zip.NewWriter(io.MultiWriter(f, md5sum, sha256sum))
	for _, name := range files {
		if err := add(z, stored(name), filepath.Join(base, name)); err != nil {
			return artifactState{}, errors.Join(fmt.Errorf("zip %s: %w", name, err), f.Close())
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		return artifactState{}, fmt.Errorf("write zip: %w", err)
	}
	return artifactState{MD5Sum: hex.EncodeToString(md5sum.Sum(nil)), SHA256Sum: hex.EncodeToString(sha256sum.Sum(nil))}, nil
}

func add(z *zip.Writer, name, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	header, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	header.Name, header.Method = name, zip.Deflate
	out, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}
