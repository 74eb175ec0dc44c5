package route_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/kinds/route"
	"previewenv/statemachine"
)

// Keys bear no tags: the value says whose one is.
func TestAKeyIsOursByItsValue(t *testing.T) {
	s := newStore(t)
	s.values = map[string]string{
		"default": `{"state":"live"}`, "pr1": live, "pr2": `{"state":"starting","commit":"abcd1234","of":"another release"}`,
		"maintenance": "on", "banner": `{"text":"We are moving."}`, "list": `["pr1"]`, "Not-A-Label": live,
	}
	k := route.FromConfig(s.config(plain()), own)
	found, err := k.List(t.Context(), kind.Bounds{KeyValueStore: storeARN})
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, r := range found {
		err := k.Owned(t.Context(), r)
		if err != nil && !fault.Is(err, statemachine.ErrForbidden) {
			t.Fatal(err)
		}
		ours[r.Environment] = err == nil
	}
	want := map[string]bool{"pr1": true, "pr2": true, "maintenance": false, "banner": false, "list": false}
	if diff := cmp.Diff(want, ours); diff != "" {
		t.Errorf("keys that are ours (-want +got):\n%s", diff)
	}
}
