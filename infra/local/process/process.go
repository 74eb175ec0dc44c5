// Package process starts the children of the local stack so that none outlives
// it: each leads its own process group, which is killed as a whole, and the
// kernel kills the leader when the stack itself dies without a chance to clean
// up. It knows nothing of what the children are.
package process

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// pipeDelay bounds how long a finished child is waited for while a grandchild
// that it left behind still holds its output pipe.
const pipeDelay = time.Second

// Child is a started process, the leader of its own process group.
type Child struct {
	pid  int
	done chan struct{}
	err  error
}

// Start starts cmd. Its SysProcAttr and WaitDelay are set here.
func Start(cmd *exec.Cmd) (*Child, error) {
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = pipeDelay
	c := &Child{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that started the child
		// ends (prctl(2), PR_SET_PDEATHSIG), so that thread must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		c.pid = cmd.Process.Pid
		started <- nil
		c.err = cmd.Wait()
		// What the leader left running goes with it.
		_ = syscall.Kill(-c.pid, syscall.SIGKILL)
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return c, nil
}

// Done is closed when the leader has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err is how the leader ended, nil for status 0; only after Done.
func (c *Child) Err() error { return c.err }

// PID is the leader's process id, which is the group's too.
func (c *Child) PID() int { return c.pid }

// Kill kills the group and waits for the leader. A second call does nothing.
func (c *Child) Kill() {
	select {
	case <-c.done:
		return
	default:
	}
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	<-c.done
}
