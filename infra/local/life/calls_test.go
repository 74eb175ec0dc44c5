package life

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/edge"
)

var update = flag.Bool("update", false, "rewrite testdata/calls.golden")

// calls are what the functions called during the lives of this package, which is
// held to their roles by a test of infra.
type calls struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (c *calls) observe(call edge.Call) {
	if call.Operation == "" || !slices.Contains(functionNames(), call.Caller) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[call.Caller+" "+call.Service+":"+call.Operation] = true
}

// rare are calls that a life makes only when two collide, or when AWS is slow: they
// are in the golden, and a run without them is none the worse.
var rare = []string{
	"build states:SendTaskFailure", "build codebuild:BatchGetBuilds", "plan states:SendTaskSuccess",
}

// compare holds what was called to the golden. Whoever ran only some of the tests
// did not make all the calls, so that nothing is missed then.
func (c *calls) compare(root string, all bool) error {
	file := filepath.Join(root, "testdata", "calls.golden")
	got := slices.AppendSeq([]string{}, maps.Keys(c.seen))
	slices.Sort(got)
	if *update {
		all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(got, rare))))
		return os.WriteFile(file, []byte(strings.Join(all, "\n")+"\n"), 0o600)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read recorded calls: %w", err)
	}
	want := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"), func(call string) bool {
		return !c.seen[call] && (!all || slices.Contains(rare, call))
	})
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the functions make other calls than testdata/calls.golden says; look at their grants, then run go test ./infra/local/life -update (-golden +called):\n%s", diff)
	}
	return nil
}

// functionNames are the folders of lambdas/ that hold a function.
func functionNames() []string {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "lambdas", "*", "main.go")) // the pattern is sound
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(filepath.Dir(file))
	}
	return names
}
