package life

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"previewenv/infra/local/git"
)

// push makes a commit of a pull request; two at once would make it from one parent.
func push(t testing.TB, pullRequest int, edits ...git.Edit) string {
	t.Helper()
	pushing.Lock()
	defer pushing.Unlock()
	sha, err := world.Repository.Push(t.Context(), pullRequest, git.All(slices.Insert(edits, 0, fresh(fmt.Sprint("pr", pullRequest)), numbered)...))
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

var pushing sync.Mutex

// numbered makes a push of what was pushed before another commit.
func numbered(worktree string) error {
	return os.WriteFile(filepath.Join(worktree, "push.txt"), []byte(strconv.FormatInt(time.Now().UnixNano(), 10)), 0o600)
}

// pushed is a new commit of a pull request that changes one service.
func pushed(t *testing.T, pullRequest int, service string) string {
	t.Helper()
	return push(t, pullRequest, git.SetVersion(service, strconv.FormatInt(time.Now().UnixNano(), 10)))
}

// fresh puts a worktree back to a commit of the seed, so that what one test broke
// does not break the next.
func fresh(branch string) git.Edit {
	return func(worktree string) error {
		commit := world.Repository.Commits[branch]
		out, err := exec.Command("git", "-C", worktree, "read-tree", "-u", "--reset", commit).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go back to %s: %w: %s", branch, err, out)
		}
		return nil
	}
}
