package codebuild

import (
	"bufio"
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
// that a cd or an export holds for the next.
const loop = `while IFS= read -r -d '' command <&3; do
eval "$command" 3<&- 4>&- </dev/null
echo "$?" >&4
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
}

func (s *shell) start() (err error) {
	cmd := exec.Command("bash", "-c", loop)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, s.out, s.out
	commands, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start shell: %w", err)
	}
	out, statuses, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("start shell: %w", err), commands.Close(), in.Close())
	}
	cmd.ExtraFiles = []*os.File{commands, statuses}
	s.child, err = process.Start(cmd)
	err = errors.Join(err, commands.Close(), statuses.Close())
	if err != nil {
		return errors.Join(err, in.Close(), out.Close())
	}
	s.commands, s.statuses, s.lines = in, out, bufio.NewReader(out)
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
