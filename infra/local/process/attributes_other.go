//go:build !linux

package process

import "syscall"

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// EndWithParent does nothing where the system has no such signal.
func EndWithParent() error { return nil }
