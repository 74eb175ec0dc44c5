package frontend_test

import (
	"archive/zip"
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

type file struct {
	name    string
	content []byte
}

func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		add(t, w, &zip.FileHeader{Name: f.name, Method: zip.Deflate}, f.content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func add(t testing.TB, w *zip.Writer, header *zip.FileHeader, content []byte) {
	t.Helper()
	to, err := w.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Write(content); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add(t, w, &zip.FileHeader{Name: "index.html"}, nil)
	header := &zip.FileHeader{Name: "secrets.txt"}
	header.SetMode(os.ModeSymlink | 0o777)
	add(t, w, header, []byte("/proc/self/environ"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a zip whose directory says that a file of 1 MB has the given size.
func bomb(t testing.TB, says uint64) []byte {
	t.Helper()
	packed := archive(t, file{"big.bin", make([]byte, 1<<20)})
	from, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := from.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add(t, w, &zip.FileHeader{Name: "index.html"}, nil)
	header := from.File[0].FileHeader
	header.UncompressedSize64 = says
	to, err := w.CreateRaw(&header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise is content that does not compress, the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}
