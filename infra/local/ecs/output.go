package ecs

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// lineLimit is the most of one line that goes into one log event (docs,
// cloudwatch_limits: 1 MB an event; a line of a program is far shorter).
const lineLimit = 64 << 10

// output takes what a container prints: to a file, and by lines to its log stream.
type output struct {
	mu     sync.Mutex
	file   *os.File
	ship   func(line string) // nil if the definition asks for no awslogs
	line   []byte
	closed bool
}

func (a *Agent) openOutput(t *task, definition types.ContainerDefinition) (*output, error) {
	o := new(output)
	name := aws.ToString(definition.Name)
	if a.options.Logs != "" {
		if err := os.MkdirAll(a.options.Logs, 0o755); err != nil {
			return nil, fmt.Errorf("make log folder: %w", err)
		}
		path := filepath.Join(a.options.Logs, fmt.Sprintf("%s-%s-%s.log", t.service.Name, name, t.id))
		var err error
		if o.file, err = os.Create(path); err != nil {
			return nil, fmt.Errorf("make log file: %w", err)
		}
	}
	if to, ok := logStream(definition, t.id); ok {
		o.ship = func(line string) { a.shipper.add(to, line) }
	}
	return o, nil
}

// logStream is where a container's log goes (docs, using_awslogs: without a prefix
// the stream is named by the container's id, for which there is none here).
func logStream(definition types.ContainerDefinition, task string) (stream, bool) {
	c := definition.LogConfiguration
	if c == nil || c.LogDriver != types.LogDriverAwslogs || c.Options["awslogs-group"] == "" {
		return stream{}, false
	}
	prefix := cmp.Or(c.Options["awslogs-stream-prefix"], "ecs")
	return stream{c.Options["awslogs-group"], prefix + "/" + aws.ToString(definition.Name) + "/" + task}, true
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil && !o.closed {
		if n, err := o.file.Write(p); err != nil {
			return n, err
		}
	}
	if o.ship == nil {
		return len(p), nil
	}
	o.line = append(o.line, p...)
	for {
		i := bytes.IndexByte(o.line, '\n')
		switch {
		case i >= 0:
			o.send(o.line[:i])
			o.line = o.line[i+1:]
		case len(o.line) >= lineLimit:
			o.send(o.line)
			o.line = nil
		default:
			return len(p), nil
		}
	}
}

func (o *output) send(line []byte) {
	if line = bytes.TrimRight(line, "\r"); len(line) > 0 {
		o.ship(string(line))
	}
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ship != nil {
		o.send(o.line)
		o.line = nil
	}
	if o.file != nil && !o.closed {
		_ = o.file.Close()
	}
	o.closed = true
}
