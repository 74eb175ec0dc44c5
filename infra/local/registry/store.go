// Package registry keeps container images without a Docker engine: it builds real
// OCI images from a small part of the Dockerfile language, pushes their manifests to
// ECR, and unpacks them for whoever runs tasks as processes. It knows nothing of
// services or environments.
//
// A base image is never fetched: an image here has only what its Dockerfile copies.
package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// ErrNotFound says that a reference names no image of the store.
var ErrNotFound = errors.New("image not found")

// Store is a folder of images. Several processes may use one at the same time:
// whatever is written is renamed into place when it is complete.
//
//	images/<digest>/                  one OCI layout an image
//	refs/<repository>/_tags/<tag>     the digest
//	rootfs/<digest>/                  unpacked
type Store struct {
	Dir string
}

// Tag makes target another name of the image that source names.
func (s Store) Tag(source, target string) error {
	digest, err := s.Resolve(source)
	if err != nil {
		return err
	}
	return s.setTag(target, digest)
}

// Resolve finds the digest of a reference by tag or by digest.
func (s Store) Resolve(ref string) (v1.Hash, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read reference %q: %w", ref, err)
	}
	text := parsed.Identifier()
	if tag, ok := parsed.(name.Tag); ok {
		content, err := os.ReadFile(s.tagFile(tag))
		if errors.Is(err, fs.ErrNotExist) {
			return v1.Hash{}, fmt.Errorf("%w: %s: only images that were built into this store are here", ErrNotFound, ref)
		}
		if err != nil {
			return v1.Hash{}, fmt.Errorf("read tag %s: %w", ref, err)
		}
		text = string(content)
	}
	digest, err := v1.NewHash(strings.TrimSpace(text))
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read digest of %s: %w", ref, err)
	}
	if _, err := os.Stat(s.imageDir(digest)); err != nil {
		return v1.Hash{}, fmt.Errorf("%w: %s", ErrNotFound, ref)
	}
	return digest, nil
}

// image opens the image of a digest.
func (s Store) image(digest v1.Hash) (v1.Image, error) {
	path, err := layout.FromPath(s.imageDir(digest))
	if err != nil {
		return nil, fmt.Errorf("open image %s: %w", digest, err)
	}
	image, err := path.Image(digest)
	if err != nil {
		return nil, fmt.Errorf("open image %s: %w", digest, err)
	}
	return image, nil
}

// save keeps an image; one that is there already is left alone.
func (s Store) save(image v1.Image) (v1.Hash, error) {
	digest, err := image.Digest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("compute digest: %w", err)
	}
	err = s.complete(s.imageDir(digest), func(dir string) error {
		path, err := layout.Write(dir, empty.Index)
		if err != nil {
			return fmt.Errorf("write layout: %w", err)
		}
		if err := path.AppendImage(image); err != nil {
			return fmt.Errorf("write image %s: %w", digest, err)
		}
		return nil
	})
	return digest, err
}

func (s Store) setTag(ref string, digest v1.Hash) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return fmt.Errorf("read tag %q: %w", ref, err)
	}
	file := s.tagFile(tag)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write tag %s: %w", ref, err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".new-")
	if err != nil {
		return fmt.Errorf("write tag %s: %w", ref, err)
	}
	_, err = temporary.WriteString(digest.String())
	if err = errors.Join(err, temporary.Close()); err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write tag %s: %w", ref, errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}

// complete fills a folder beside target and renames it into place. The first one
// wins; what another process made of the same content is as good.
func (s Store) complete(target string, fill func(dir string) error) error {
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("make store: %w", err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(target), ".new-")
	if err != nil {
		return fmt.Errorf("make store: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := fill(dir); err != nil {
		return err
	}
	if err := os.Rename(dir, target); err != nil {
		if _, there := os.Stat(target); there == nil {
			return nil
		}
		return fmt.Errorf("keep %s: %w", filepath.Base(target), err)
	}
	return nil
}

func (s Store) imageDir(digest v1.Hash) string { return filepath.Join(s.Dir, "images", digest.Hex) }

func (s Store) rootDir(digest v1.Hash) string { return filepath.Join(s.Dir, "rootfs", digest.Hex) }

func (s Store) tagFile(tag name.Tag) string {
	return filepath.Join(s.Dir, "refs", filepath.FromSlash(tag.Context().Name()), "_tags", tag.TagStr())
}
