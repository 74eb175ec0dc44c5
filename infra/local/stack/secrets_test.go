package stack

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEverySecretInATextIsFound(t *testing.T) {
	heads := byHead(map[string]string{
		"xoxb-first-token": "a token", "xoxb-first-other": "its sibling", "tiny": "a short one", "xoxb-fir": "no longer than the head",
	})
	for text, want := range map[string][]string{
		"":                        nil,
		"nothing of the kind":     nil,
		"xoxb-first-toke":         {"xoxb-fir"},
		"a=xoxb-first-token":      {"xoxb-fir", "xoxb-first-token"},
		"tinyxoxb-first-other, b": {"tiny", "xoxb-fir", "xoxb-first-other"},
	} {
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(holds(text, heads)))); diff != "" {
			t.Errorf("in %q (-want +found):\n%s", text, diff)
		}
	}
}
