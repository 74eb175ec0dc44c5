package kinds

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"previewenv/statemachine"
)

// TestNoPlaceOfAKindWasForgotten names what a new kind lacks.
func TestNoPlaceOfAKindWasForgotten(t *testing.T) {
	for i, k := range All {
		if i > 0 && All[i-1].Rank >= k.Rank {
			t.Errorf("%s has rank %d after %s with %d; All is in the order of removal", k.Name, k.Rank, All[i-1].Name, All[i-1].Rank)
		}
		if _, err := os.Stat(filepath.Join(k.Name, k.Name+".go")); err != nil {
			t.Errorf("the kind %s has no folder in lambdas/kinds", k.Name)
		}
		if _, err := os.Stat(filepath.Join("..", k.Name, "main.go")); err != nil {
			t.Errorf("the kind %s has no function in lambdas/", k.Name)
		}
		if !json.Valid(k.Example) || len(k.Grants) == 0 || len(k.Sweep) == 0 {
			t.Errorf("the kind %s lacks an example, its grants or those of a sweep", k.Name)
		}
		var makes, removes bool
		for _, task := range statemachine.Tasks {
			if task.Function == k.Name {
				removes = removes || strings.HasPrefix(task.State, "Remove")
				makes = makes || !strings.HasPrefix(task.State, "Remove")
			}
		}
		if !makes || !removes {
			t.Errorf("the kind %s has no Task state that makes it (%v) or none that removes it (%v); see statemachine.Tasks", k.Name, makes, removes)
		}
		if !strings.Contains(statemachine.Definition, `"StringEquals": "`+k.Name+`"`) {
			t.Errorf("the kind %s is no choice of Remove in the definition", k.Name)
		}
		if Rank(k.Name) != k.Rank {
			t.Errorf("Rank(%s) = %d, want %d", k.Name, Rank(k.Name), k.Rank)
		}
	}
	folders, err := filepath.Glob("*/example.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range folders {
		if name := filepath.Dir(file); !slices.ContainsFunc(All, func(k Info) bool { return k.Name == name }) {
			t.Errorf("the folder %s is not in kinds.All", name)
		}
	}
}
