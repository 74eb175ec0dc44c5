package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// most is how many stacks may run from one checkout.
const most = 9

// Claim finds a folder for a stack that no other running stack has: the given one,
// else one of its numbered subfolders. The claim ends with the process, however it
// ends, or with release.
func Claim(base string) (dir string, release func(), err error) {
	for n := 1; n <= most; n++ {
		dir = base
		if n > 1 {
			dir = filepath.Join(base, strconv.Itoa(n))
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", nil, fmt.Errorf("make %s: %w", dir, err)
		}
		lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return "", nil, fmt.Errorf("open lock of %s: %w", dir, err)
		}
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return dir, func() { _ = lock.Close() }, nil
		}
		_ = lock.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return "", nil, fmt.Errorf("lock %s: %w", dir, err)
		}
	}
	return "", nil, fmt.Errorf("%d stacks run from %s already", most, base)
}
