package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// findsOnly plays damages one after the other on one baseline: exactly what is damaged is
// named, and after the last of them nothing is.
func findsOnly(t *testing.T, damages []damage) {
	w := sound(t)
	for _, d := range append(damages, damage{name: "and a baseline that was put right", do: func(*world) func() { return func() {} }}) {
		t.Run(d.name, func(t *testing.T) {
			w.t = t
			undo := d.do(w)
			r := Run(t.Context(), w.options)
			undo()
			var want []string
			if d.want != "" {
				want = []string{d.want}
			}
			if diff := cmp.Diff(want, named(r)); diff != "" {
				t.Errorf("(-want +got) %s\n%s", diff, text(r))
			}
		})
	}
}
