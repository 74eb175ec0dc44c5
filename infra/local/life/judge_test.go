package life

import (
	"sync"
	"testing"
)

// accused are the tests that judged was called for, by name.
var accused sync.Map

// judged fails a test, when it ends, for each call during it that AWS's models do not
// allow.
func judged(t testing.TB) {
	t.Helper()
	if _, twice := accused.LoadOrStore(t.Name(), true); twice {
		return
	}
	_, mark := world.Violations(0)
	t.Cleanup(func() {
		accused.Delete(t.Name())
		found, _ := world.Violations(mark)
		for _, v := range found {
			t.Error(v)
		}
	})
}
