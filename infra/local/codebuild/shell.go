package codebuild

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"previewenv/infra/local/process"
)

// loop runs the commands that come, NUL-terminated, on descriptor 3 and says the
// status of each on 4. All run in one shell, as those of a buildspec 0.2 do, so
// that a cd or an export holds for the next. A NUL after each on the output, which
// is a pipe too, tells that all of it has come.
const loop = `exec 5>&1
while IFS= read -r -d '' command <&3; do
eval "$command" 3<&- 4>&- 5>&- </dev/null
status=$?
printf '\0' >&5
echo "$status" >&4
done`

// shell is the one shell of a build. When a command exits it, the next command
// gets a new one.
type shell struct {
	dir string
	env []string
	out io.Writer

	child    *process.Child
	commands *os.File
	statuses *os.File
	lines    *bufio.Reader
	drained  chan struct{}
}

// marked passes output on without its NULs, each of which it tells of.
type marked struct {
	next io.Writer
	nul  chan<- struct{}
}

func (m marked) Write(p []byte) (int, error) {
	for i, part := range bytes.Split(p, []byte{0}) {
		if i > 0 {
			select {
			case m.nul <- struct{}{}:
			default: // a command's own
			}
		}
		if _, err := m.next.Write(part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (s *shell) start() (err error) {
	cmd := exec.Command("bash", "-c", loop)
	s.drained = make(chan struct{}, 1)
	out := marked{s.out, s.drained}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, out, out
	commands, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start shell: %w", err)
	}
	answers, statuses, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("start shell: %w", err), commands.Close(), in.Close())
	}
	cmd.ExtraFiles = []*os.File{commands, statuses}
	s.child, err = process.Start(cmd)
	err = errors.Join(err, commands.Close(), statuses.Close())
	if err != nil {
		return errors.Join(err, in.Close(), answers.Close())
	}
	s.commands, s.statuses, s.lines = in, answers, bufio.NewReader(answers)
	return nil
}

// run runs one command and returns its exit status. done ends it early, with all
// that it started.
func (s *shell) run(done <-chan struct{}, command string) (int, error) {
	if s.child == nil {
		if err := s.start(); err != nil {
			return 0, err
		}
	}
	select {
	case <-s.drained: // left by a NUL of the last command's
	default:
	}
	if _, err := s.commands.WriteString(command + "\x00"); err != nil {
		return 0, fmt.Errorf("write command: %w", err)
	}
	finished := make(chan struct{})
	defer close(finished)
	go func(child *process.Child) {
		select {
		case <-done:
			child.Kill()
		case <-finished:
		}
	}(s.child)
	line, err := s.lines.ReadString('\n')
	if err != nil {
		return s.exited(), nil
	}
	select {
	case <-s.drained:
	case <-s.child.Done():
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

// exited is the status of a shell that a command ended.
func (s *shell) exited() int {
	child := s.child
	<-child.Done()
	s.close()
	if exit, ok := errors.AsType[*exec.ExitError](child.Err()); ok {
		return exit.ExitCode()
	}
	return 0
}

func (s *shell) close() {
	if s.child == nil {
		return
	}
	s.child.Kill()
	_ = s.commands.Close()
	_ = s.statuses.Close()
	s.child = nil
}
