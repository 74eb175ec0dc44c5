package catalog

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheExampleOfAnInstallationIsACatalog(t *testing.T) {
	text, err := os.ReadFile("../../infra/catalog.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Reaper{MaxRemovals: 20}, c.Settings().Reaper); diff != "" {
		t.Errorf("what bounds the reaper (-example +published): %s", diff)
	}
	if (Reaper{}).Most() != c.Reaper.Most() {
		t.Errorf("the example says %d, and the default is %d", c.Reaper.Most(), Reaper{}.Most())
	}
}
