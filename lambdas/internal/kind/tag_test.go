package kind_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/kind"
)

func TestTagsAreWhatAWSTakes(t *testing.T) {
	tests := []struct{ rule, value, want string }{
		{"an id stays", "U123", "U123"},
		{"an address stays", "jo@example.com", "jo@example.com"},
		{"a time stays", "2026-11-21T22:00:00Z", "2026-11-21T22:00:00Z"},
		{"letters of every alphabet stay", "Jürgen 松本", "Jürgen 松本"},
		{"markup does not", "<b>&amp;", "_b__amp_"},
		{"AWS keeps its beginning for itself", "AWS:jo", "_AWS:jo"},
		{"nor do pictures", "jo 🙂", "jo _"},
		{"nor does what is no text", "jo\xff", "jo_"},
		{"nor does the end of what is too long", strings.Repeat("ü", 300), strings.Repeat("ü", 256)},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			if diff := cmp.Diff(map[string]string{"Owner": test.want}, kind.Tags(map[string]string{"Owner": test.value})); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}
