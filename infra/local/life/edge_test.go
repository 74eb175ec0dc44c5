package life

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/git"
	"previewenv/infra/local/slack"
)

func TestAnAPIThatLetsNobodyInBecomesReady(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusNotFound} {
		sha, err := world.Repository.Push(t.Context(), 2, git.All(fresh("pr2"), git.Lock("service2", status)))
		if err != nil {
			t.Fatal(err)
		}
		label := fmt.Sprintf("locked%d", status)
		command(t, "/provisionenv", sha+" service2 --as "+label)
		until(t, label, "ready", slack.Message{})
		if p := get(t, world.URL(label)+"/service2"); p.Status != status {
			t.Errorf("service2 answers %d %s", p.Status, p.Body)
		}
		var told struct {
			State, Commit string
			Overrides     []string
		}
		if err := json.Unmarshal([]byte(get(t, world.URL(label)+"/_preview").Body), &told); err != nil {
			t.Fatal(err)
		}
		if told.State != "live" || told.Commit != sha || !slices.Equal(told.Overrides, []string{"service2"}) {
			t.Errorf("the edge says %+v", told)
		}
		remove(t, label)
	}
}

func TestAPageThatIsOpenKeepsItsFiles(t *testing.T) {
	before := inventory(t)
	provision(t, "tabs", world.Repository.Commits["pr1"]+" web --as tabs")
	old := "tabs/" + world.Repository.Commits["pr1"] + "/"
	sha, err := world.Repository.Push(t.Context(), 1, git.All(fresh("pr1"), git.SetVersion("web", "tabs")))
	if err != nil {
		t.Fatal(err)
	}
	provision(t, "tabs", sha+" web --as tabs")
	eventually(t, func() bool { return get(t, world.URL("tabs")+"/").Header.Get("x-preview-commit") == sha })
	sweep(t, `{}`)
	if !strings.Contains(strings.Join(inventory(t), " "), old) {
		t.Errorf("the build before is gone: %v", inventory(t))
	}
	remove(t, "tabs")
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("the removal left something (-before +after):\n%s", diff)
	}
}
