package registry

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Image is an unpacked image. Its files are shared by all who run it and are not to
// be changed.
type Image struct {
	Dir        string   // of its files
	Entrypoint []string // with the default arguments; the program is a path inside the image
	Env        []string // NAME=value
	WorkingDir string   // inside the image
}

// Command is the program, as a path of this machine, and its arguments.
func (i Image) Command() []string {
	return append([]string{filepath.Join(i.Dir, filepath.FromSlash(i.Entrypoint[0]))}, i.Entrypoint[1:]...)
}

// Unpack gives the files of an image, by tag or by digest. An image is unpacked once.
func (s Store) Unpack(ref string) (Image, error) {
	digest, err := s.Resolve(ref)
	if err != nil {
		return Image{}, err
	}
	image, err := s.image(digest)
	if err != nil {
		return Image{}, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return Image{}, fmt.Errorf("read configuration of %s: %w", ref, err)
	}
	command := append(append([]string{}, config.Config.Entrypoint...), config.Config.Cmd...)
	if len(command) == 0 {
		return Image{}, fmt.Errorf("unpack %s: the image has neither ENTRYPOINT nor CMD", ref)
	}
	err = s.complete(s.rootDir(digest), func(dir string) error { return extract(image, dir) })
	if err != nil {
		return Image{}, fmt.Errorf("unpack %s: %w", ref, err)
	}
	return Image{
		Dir: s.rootDir(digest), Entrypoint: command, Env: config.Config.Env, WorkingDir: config.Config.WorkingDir,
	}, nil
}

// extract writes all layers into dir and nowhere else.
func extract(image v1.Image, dir string) error {
	layers, err := image.Layers()
	if err != nil {
		return fmt.Errorf("list layers: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer func() { _ = root.Close() }()
	// MkdirTemp made the folder for its owner alone.
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return fmt.Errorf("open layer: %w", err)
		}
		if err := errors.Join(extractLayer(root, content), content.Close()); err != nil {
			return err
		}
	}
	return nil
}

func extractLayer(root *os.Root, content io.Reader) error {
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read layer: %w", err)
		}
		name := filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+header.Name), "/"))
		switch header.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = extractFile(root, name, header.FileInfo().Mode().Perm(), archive)
		default:
			err = errors.New("it is no regular file")
		}
		if err != nil {
			return fmt.Errorf("extract %s: %w", header.Name, err)
		}
	}
}

func extractFile(root *os.Root, name string, mode os.FileMode, content io.Reader) error {
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// A program cannot be started while anybody has it open for writing (ETXTBSY), and
	// a child that is forked meanwhile would have it open for a moment longer.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	file, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
