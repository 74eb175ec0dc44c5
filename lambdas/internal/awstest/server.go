package awstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// startLimit is ample for Python to import moto on a busy machine (2 s alone).
const startLimit = 60 * time.Second

// watch ends the server when its standard input closes, which the kernel does
// however the test binary ends; no clean-up of ours would run after a panic.
const watch = `"$@" & child=$!; read -r _; kill "$child"`

// start runs once a test binary; the pipe it returns must stay reachable, or a
// finalizer would close it and end the server.
var start = sync.OnceValues(startServer)

type running struct {
	url  string
	life io.Closer
}

func server(t testing.TB) string {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return s.url
}

func startServer() (*running, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(root, ".local", "venv", "bin", "moto_server")
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("find moto: run \"make test\", which installs it: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command := exec.Command("/bin/sh", "-c", watch, "sh", program, "-H", "127.0.0.1", "-p", port)
	command.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+Account)
	life, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	s := &running{url: "http://127.0.0.1:" + port, life: life}
	return s, s.await()
}

func (s *running) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/moto-api/data.json", nil)
		if err != nil {
			return fmt.Errorf("ask moto: %w", err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start moto: no answer within %s", startLimit)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// Root is the top of the repository: the nearest folder upwards with a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find repository: no go.mod in any folder above")
		}
		dir = parent
	}
}
