package process

import (
	"fmt"
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// EndWithParent has this process asked to end (SIGTERM) when the one that started
// it dies, however that happens: make that is killed would otherwise leave a stack
// behind.
func EndWithParent() error {
	if os.Getppid() == 1 {
		return nil // nobody to follow
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0)
	if errno != 0 {
		return fmt.Errorf("follow the parent process: %w", errno)
	}
	return nil
}
