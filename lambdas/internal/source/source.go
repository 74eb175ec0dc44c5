// Package source turns the tarball of a commit, as GitHub serves it, into the ZIP
// that CodeBuild takes as source. Whoever builds from it holds no credential of
// GitHub. It knows nothing of GitHub's API, of S3 or of environments.
package source

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// CommitFile is what Pack adds at the root of the source: the commit, and nothing
// else. CodeBuild tells a build no commit when its source is in S3
// (docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html, resolvedSourceVersion).
const CommitFile = ".preview-commit"

// Largest is how many bytes the files of a source may have together.
const Largest = 1 << 30

// Why a source is refused.
var (
	ErrOtherCommit = errors.New("is not the archive of the commit")
	ErrTooLarge    = errors.New("is too large")
	ErrUnsafe      = errors.New("has a path that leaves the source")
)

// Pack reads a tarball and writes its ZIP, without the folder that everything in it
// lies in; modes and symbolic links stay. It holds one block of a file at a time. What
// was written when it fails is to be thrown away.
func Pack(w io.Writer, tarball io.Reader, commit string) error {
	unzipped, err := gzip.NewReader(tarball)
	if err != nil {
		return fmt.Errorf("read tarball: %w", err)
	}
	files := tar.NewReader(unzipped)
	if err := isOf(files, commit); err != nil {
		return err
	}
	p := &packer{zip: zip.NewWriter(w), links: map[string]bool{}}
	// Sources are read once and kept for days: time counts, not size.
	p.zip.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	if err := p.add(&zip.FileHeader{Name: CommitFile}, 0o644, strings.NewReader(commit+"\n")); err != nil {
		return err
	}
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read tarball: %w", err)
		}
		if err := p.take(header, files); err != nil {
			return err
		}
	}
	// The end of the archive is not that of the stream, whose sum comes last.
	if _, err := io.Copy(io.Discard, io.LimitReader(unzipped, Largest)); err != nil {
		return fmt.Errorf("read tarball: %w", err)
	}
	if err := p.zip.Close(); err != nil {
		return fmt.Errorf("write zip: %w", err)
	}
	return nil
}

// isOf reads the header that git puts before an archive: its comment is the commit
// (git-scm.com/docs/git-get-tar-commit-id).
func isOf(files *tar.Reader, commit string) error {
	header, err := files.Next()
	if err != nil {
		return fmt.Errorf("read tarball: %w", err)
	}
	if header.Typeflag != tar.TypeXGlobalHeader || header.PAXRecords["comment"] != commit {
		return fmt.Errorf("the tarball %w %s", ErrOtherCommit, commit)
	}
	return nil
}

type packer struct {
	zip   *zip.Writer
	bytes int64
	links map[string]bool
}

func (p *packer) take(header *tar.Header, content io.Reader) error {
	_, name, _ := strings.Cut(header.Name, "/")
	name = strings.TrimSuffix(name, "/")
	if name == "" || name == CommitFile {
		return nil
	}
	if err := p.inside(name); err != nil {
		return err
	}
	h := &zip.FileHeader{Name: name, Modified: header.ModTime}
	mode := header.FileInfo().Mode()
	switch header.Typeflag {
	case tar.TypeDir:
		h.Name += "/"
		content = strings.NewReader("")
	case tar.TypeSymlink:
		p.links[name] = true
		content = strings.NewReader(header.Linkname)
	case tar.TypeReg:
	default:
		return fmt.Errorf("%q %w: it is no file, folder or symbolic link", name, ErrUnsafe)
	}
	if p.bytes += header.Size; p.bytes > Largest {
		return fmt.Errorf("the source %w: its files have more than %d MB", ErrTooLarge, Largest>>20)
	}
	return p.add(h, mode, content)
}

// inside refuses a name that climbs, and one below a symbolic link, which leads
// wherever the link does.
func (p *packer) inside(name string) error {
	if !fs.ValidPath(name) {
		return fmt.Errorf("%q %w", name, ErrUnsafe)
	}
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if p.links[folder] {
			return fmt.Errorf("%q %w: %s is a symbolic link", name, ErrUnsafe, folder)
		}
	}
	return nil
}

func (p *packer) add(header *zip.FileHeader, mode fs.FileMode, content io.Reader) error {
	header.SetMode(mode)
	if !mode.IsDir() {
		header.Method = zip.Deflate
	}
	out, err := p.zip.CreateHeader(header)
	if err == nil && !mode.IsDir() {
		_, err = io.Copy(out, content)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", header.Name, err)
	}
	return nil
}
