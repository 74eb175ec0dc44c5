package moto

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"previewenv/infra/local/free"
)

const venv = "../../../.local/venv/bin"

// start starts an emulator that lives as long as a test.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	var err error
	if o.Python, err = filepath.Abs(venv); err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestItAnswersUntilItIsClosed(t *testing.T) {
	s := start(t, Options{})
	res, err := http.Get(s.URL.JoinPath("/moto-api/config").String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if res, err := http.Get(s.URL.String()); err == nil {
		_ = res.Body.Close()
		t.Error("it still answers after Close")
	}
}

func TestAFailedStartSaysWhatMotoPrinted(t *testing.T) {
	bin, err := filepath.Abs(venv)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := free.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, err = Start(t.Context(), Options{Python: bin, Port: taken.Addr().(*net.TCPAddr).Port})
	if err == nil {
		t.Fatal("it started on a port that is taken")
	}
	if !strings.Contains(err.Error(), "in use") {
		t.Errorf("the error lacks moto's own words: %v", err)
	}
}
