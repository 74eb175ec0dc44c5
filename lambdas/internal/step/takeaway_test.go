package step

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
)

// noted is a kind that notes what is asked of it.
type noted struct {
	kind.Kind
	asked []string
}

func (n *noted) Remove(context.Context, kind.Resource) error {
	n.asked = append(n.asked, "remove")
	return nil
}

func (n *noted) Verify(context.Context, kind.Resource) (bool, error) {
	n.asked = append(n.asked, "verify")
	return false, nil
}

func TestAnEndIsToldBeforeItIsMade(t *testing.T) {
	refused := errors.New("the store is busy")
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"told, removed, looked at":         {nil, []string{"close", "remove", "verify"}},
		"what was not told is not removed": {refused, []string{"close"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := &noted{}
			s := &Resource{Kind: k, Close: func(context.Context, kind.Resource) error {
				k.asked = append(k.asked, "close")
				return c.err
			}}
			gone, err := s.takeAway(t.Context(), record.Environment{}, record.Resource{})
			if gone != (c.err == nil) || !errors.Is(err, c.err) {
				t.Errorf("gone: %v, %v", gone, err)
			}
			if diff := cmp.Diff(c.want, k.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}
