package registry

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Build makes the image of a Dockerfile and gives it the tag ref. The context is the
// folder that COPY reads; an empty file is the context's Dockerfile. Content alone
// makes the digest: the same files give the same image.
func (s Store) Build(context, file, ref string) (digest string, err error) {
	file = cmp.Or(file, filepath.Join(context, "Dockerfile"))
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read Dockerfile: %w", err)
	}
	if _, err := os.Stat(filepath.Join(context, ".dockerignore")); err == nil {
		return "", fmt.Errorf("build %s: .dockerignore is not supported here; COPY names what it wants", ref)
	}
	recipe, err := parse(string(text))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	image, err := recipe.image(context)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", ref, err)
	}
	hash, err := s.save(image)
	if err != nil {
		return "", err
	}
	return hash.String(), s.setTag(ref, hash)
}

func (r recipe) image(context string) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("make configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config = "linux", runtime.GOARCH, r.config
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, fmt.Errorf("make configuration: %w", err)
	}
	for _, step := range r.copies {
		content, err := step.tar(context)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", step.line, err)
		}
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		layer, err := tarball.LayerFromOpener(open, tarball.WithCompressedCaching,
			tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithMediaType(types.OCILayer))
		if err == nil {
			image, err = mutate.AppendLayers(image, layer)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: make layer: %w", step.line, err)
		}
	}
	return image, nil
}

// tar writes what one COPY copies. Dates and owners are left out, so that the same
// content is the same layer.
func (c copyStep) tar(context string) ([]byte, error) {
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, source := range c.sources {
		if !filepath.IsLocal(filepath.FromSlash(source)) {
			return nil, fmt.Errorf("copy %s: it is outside the context", source)
		}
		from := filepath.Join(context, filepath.FromSlash(source))
		info, err := os.Stat(from)
		if err != nil {
			return nil, fmt.Errorf("copy %s: %w", source, err)
		}
		to := c.target
		if !info.IsDir() && (len(c.sources) > 1 || strings.HasSuffix(to, "/")) {
			to = path.Join(to, path.Base(source))
		}
		if err := addTree(archive, from, strings.TrimPrefix(path.Clean(to), "/")); err != nil {
			return nil, fmt.Errorf("copy %s: %w", source, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fmt.Errorf("write layer: %w", err)
	}
	return out.Bytes(), nil
}

func addTree(archive *tar.Writer, from, to string) error {
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: path.Join(to, filepath.ToSlash(below)), Mode: 0o755, Typeflag: tar.TypeDir}
		if entry.IsDir() {
			if header.Name == "" || header.Name == "." {
				return nil
			}
			return archive.WriteHeader(header)
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file", below)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		header.Typeflag, header.Size = tar.TypeReg, int64(len(content))
		if info.Mode()&0o111 == 0 {
			header.Mode = 0o644
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
}
