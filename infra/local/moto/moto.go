// Package moto runs the AWS API emulator as a child process. It starts it, waits
// until it answers, switches its Step Functions interpreter on and ends it. It
// knows nothing of what is asked of it.
package moto

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"previewenv/infra/local/free"
	"previewenv/infra/local/process"
)

// patience bounds the start: Python imports for a second or two, longer on a
// busy machine.
const patience = 60 * time.Second

//go:embed server.py
var server string

// Options say how to start the emulator.
type Options struct {
	// Python is the bin folder of the virtual environment that has moto_server.
	Python string
	// Port to listen on; 0 is any.
	Port int
	// EdgePort is where moto's own clients, such as the Step Functions interpreter,
	// send their calls; 0 is Port.
	EdgePort int
	// Environment is added to the emulator's, as KEY=value.
	Environment []string
	// Log takes what the emulator prints of what goes wrong; nil is nowhere.
	Log io.Writer
}

// Server is a running emulator.
type Server struct {
	// URL is where it answers, on 127.0.0.1.
	URL   *url.URL
	child *process.Child
	tail  *tail
}

// Start starts the emulator and returns when it answers. It dies with Close, and
// with this process.
func Start(ctx context.Context, o Options) (*Server, error) {
	port := o.Port
	if port == 0 {
		var err error
		if port, err = free.Port(0); err != nil {
			return nil, err
		}
	}
	if o.EdgePort == 0 {
		o.EdgePort = port
	}
	s := &Server{
		URL:  &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		tail: &tail{next: o.Log},
	}
	cmd := exec.Command(filepath.Join(o.Python, "python3"), "-c", server, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
	cmd.Env = environment(o)
	cmd.Stdout, cmd.Stderr = s.tail, s.tail
	var err error
	if s.child, err = process.Start(cmd); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		s.child.Kill()
		return nil, fmt.Errorf("start moto_server: %w\n%s", err, s.tail)
	}
	return s, nil
}

// Close ends the emulator and everything in it.
func (s *Server) Close() error {
	s.child.Kill()
	return nil
}

// Done is closed when the emulator has ended, whoever ended it.
func (s *Server) Done() <-chan struct{} { return s.child.Done() }

func environment(o Options) []string {
	return append([]string{
		"PATH=" + o.Python + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + os.Getenv("HOME"),
		"TMPDIR=" + os.TempDir(),
		"PYTHONUNBUFFERED=1",
		"MOTO_PORT=" + strconv.Itoa(o.EdgePort),
		// Every bucket is in the path: *.localhost belongs to the environments.
		"S3_IGNORE_SUBDOMAIN_BUCKETNAME=true",
		"AWS_ACCESS_KEY_ID=moto",
		"AWS_SECRET_ACCESS_KEY=moto",
		"AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=localhost,127.0.0.1,::1",
	}, o.Environment...)
}

// ready waits for the first answer, which is that to the switch of the Step
// Functions interpreter: without it executions succeed at once, untouched.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	go func() {
		// Whoever else listens on the port may take a call and never answer it.
		select {
		case <-s.child.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.configure(ctx)
		select {
		case <-s.child.Done():
			return fmt.Errorf("it ended: %w", s.child.Err())
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func (s *Server) configure(ctx context.Context) error {
	const interpret = `{"stepfunctions":{"execute_state_machine":true}}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL.JoinPath("/moto-api/config").String(),
		bytes.NewBufferString(interpret))
	if err != nil {
		return fmt.Errorf("configure moto: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("configure moto: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("configure moto: %s", res.Status)
	}
	return nil
}

// tail passes on what is written and keeps the end of it for error messages.
type tail struct {
	mu   sync.Mutex
	next io.Writer
	kept []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if n := len(t.kept) - tailSize; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	if t.next == nil {
		return len(p), nil
	}
	return t.next.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
