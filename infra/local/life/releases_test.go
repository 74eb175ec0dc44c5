package life

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/git"
	"previewenv/infra/local/slack"
	"previewenv/infra/local/stack"
)

// releaseBefore is the commit whose functions stand for the release before: CloudFormation
// replaces functions one by one, may roll them back, and an execution lives through it.
// It moves with each release. It is the first whose builds read a version of an object:
// what stood before had a CodeBuild project of another source, and was never released.
const releaseBefore = "b7c37773476d34c1492a50f9e70b2fc0824cab95"

// TestALifeEndsWellWhileFunctionsAreReplaced plays lives in which some functions are of
// the release before, and others than at their begin when they end.
func TestALifeEndsWellWhileFunctionsAreReplaced(t *testing.T) {
	if testing.Short() {
		t.Skip("builds another release, and plays six lives")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "git", "-C", root, "cat-file", "-e", releaseBefore+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("this clone has no commit %s, whose functions are the release before; fetch the whole history (git fetch --unshallow): %s", releaseBefore, out)
	}
	before, err := stack.BuildRelease(t.Context(), root, releaseBefore)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Deploy(before); err != nil {
			t.Error(err)
		}
	})
	all := stack.Names()
	but := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(names, name) })
	}
	for i, c := range []struct {
		rule        string
		begin, ends []string // the functions of the release before
	}{
		{"a deployment during the hold", all, nil},
		{"a roll-back during the hold", nil, all},
		{"an older plan with newer functions", []string{"plan"}, []string{"plan"}},
		{"a newer plan with older functions", but("plan"), but("plan")},
		{"an older door and plan, then a newer plan", []string{"slack", "plan"}, []string{"slack"}},
		{"older kinds, then newer kinds with an older removal", but("slack", "plan", "hold", "cleanup"), []string{"hold", "cleanup", "notify"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			deploy := func(old []string) {
				t.Helper()
				if err := world.Deploy(before, old...); err != nil {
					t.Fatal(err)
				}
			}
			there := inventory(t)
			label := fmt.Sprintf("release%d", i)
			deploy(c.begin)
			provision(t, label, world.Repository.Commits["pr1"]+" service1 web --queues --as "+label)
			deploy(c.ends)
			sha, err := world.Repository.Push(t.Context(), 1, git.All(fresh("pr1"), git.SetVersion("service1", label)))
			if err != nil {
				t.Fatal(err)
			}
			provision(t, label, sha+" service1 --as "+label)
			if p := get(t, world.URL(label)+"/service1"); p.JSON(t)["commit"] != sha {
				t.Errorf("after the update service1 answers %s", p.Body)
			}
			if extended := command(t, "/extendenv", label+" 1h"); !strings.Contains(extended.Text, "until") {
				t.Errorf("/extendenv is answered with %q", extended.Text)
			}
			receipt := remove(t, label)
			if !strings.Contains(string(receipt.Blocks), "each verified gone") {
				t.Errorf("the message has no receipt: %s", receipt.Blocks)
			}
			if diff := cmp.Diff(there, inventory(t)); diff != "" {
				t.Errorf("something is left (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("a deployment during the build", func(t *testing.T) {
		there := inventory(t)
		if err := world.Deploy(before, all...); err != nil {
			t.Fatal(err)
		}
		sha, err := world.Repository.Push(t.Context(), 2, git.All(fresh("pr2"), git.SetVersion("service2", fmt.Sprint(time.Now().UnixNano()))))
		if err != nil {
			t.Fatal(err)
		}
		command(t, "/provisionenv", sha+" service2 --as midway")
		if err := world.Deploy(before); err != nil {
			t.Fatal(err)
		}
		until(t, "midway", "ready", slack.Message{})
		remove(t, "midway")
		if diff := cmp.Diff(there, inventory(t)); diff != "" {
			t.Errorf("something is left (-before +after):\n%s", diff)
		}
	})
}
