package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const commit = "abcd1234ef567890abcd1234ef567890abcd1234"

// file is one file of a source, as a ZIP has it.
type file struct {
	Mode fs.FileMode
	Text string
}

func unpack(t *testing.T, data []byte) map[string]file {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]file{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = file{f.Mode(), string(text)}
	}
	return files
}

// archive is what git makes of a commit with a program, a link and a file of our name.
func archive(t *testing.T) (tarball []byte, commit string) {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) []byte {
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "tar.umask=0022"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return out
	}
	git("init", "--quiet")
	for name, mode := range map[string]fs.FileMode{"run.sh": 0o755, "docs/read me.txt": 0o644, CommitFile: 0o644} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("docs/read me.txt", filepath.Join(dir, "README")); err != nil {
		t.Fatal(err)
	}
	git("add", "--all")
	git("commit", "--quiet", "--message", "one")
	return git("archive", "--format=tar.gz", "--prefix=acme-shop-abcd123/", "HEAD"), strings.TrimSpace(string(git("rev-parse", "HEAD")))
}

func TestWhatGitArchivesIsPackedWithItsModesAndLinks(t *testing.T) {
	tarball, commit := archive(t)
	var out bytes.Buffer
	if err := Pack(&out, bytes.NewReader(tarball), commit); err != nil {
		t.Fatal(err)
	}
	want := map[string]file{
		CommitFile: {0o644, commit + "\n"}, "run.sh": {0o755, "run.sh"}, "docs/": {fs.ModeDir | 0o755, ""},
		"docs/read me.txt": {0o644, "docs/read me.txt"}, "README": {fs.ModeSymlink | 0o777, "docs/read me.txt"},
	}
	if diff := cmp.Diff(want, unpack(t, out.Bytes())); diff != "" {
		t.Errorf("zip (-want +got):\n%s", diff)
	}
}

func TestAnotherCommitAndHalfATarballAreRefused(t *testing.T) {
	tarball, right := archive(t)
	if err := Pack(io.Discard, bytes.NewReader(tarball), commit); !errors.Is(err, ErrOtherCommit) {
		t.Errorf("another commit: %v", err)
	}
	for _, missing := range []int{4, len(tarball) / 2} {
		if err := Pack(io.Discard, bytes.NewReader(tarball[:len(tarball)-missing]), right); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes missing: %v", missing, err)
		}
	}
}

// made is a tarball of the commit with whatever entries.
func made(t *testing.T, comment string, entries ...*tar.Header) io.Reader {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	if comment != "" {
		entries = append([]*tar.Header{{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": comment}}}, entries...)
	}
	for _, header := range entries {
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
	}
	// A file's content is left out: it is refused before it is read.
	_ = w.Flush()
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestWhatLeavesTheSourceOrIsTooLargeIsRefused(t *testing.T) {
	plain := func(name string) *tar.Header { return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }
	link := &tar.Header{Typeflag: tar.TypeSymlink, Name: "top/etc", Linkname: "/etc"}
	for rule, test := range map[string]struct {
		tarball io.Reader
		want    error
	}{
		"a path that climbs":            {made(t, commit, plain("top/../../etc/passwd")), ErrUnsafe},
		"a path from the root":          {made(t, commit, plain("top//etc/passwd")), ErrUnsafe},
		"a file below a symbolic link":  {made(t, commit, link, plain("top/etc/passwd")), ErrUnsafe},
		"a hard link":                   {made(t, commit, &tar.Header{Typeflag: tar.TypeLink, Name: "top/a", Linkname: "/etc/passwd"}), ErrUnsafe},
		"a device":                      {made(t, commit, &tar.Header{Typeflag: tar.TypeChar, Name: "top/a"}), ErrUnsafe},
		"more than the largest":         {made(t, commit, &tar.Header{Typeflag: tar.TypeReg, Name: "top/a", Size: Largest + 1}), ErrTooLarge},
		"an archive that names nothing": {made(t, "", plain("top/a")), ErrOtherCommit},
	} {
		t.Run(rule, func(t *testing.T) {
			if err := Pack(io.Discard, test.tarball, commit); !errors.Is(err, test.want) {
				t.Errorf("Pack = %v, want %v", err, test.want)
			}
		})
	}
}
