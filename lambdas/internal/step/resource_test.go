package step

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// thing is a kind whose making takes a while.
type thing struct {
	there     bool
	meanwhile func()
}

func (k *thing) Ensure(context.Context, kind.Resource) (string, error) {
	k.meanwhile()
	k.there = true
	return "id", nil
}
func (k *thing) Verify(context.Context, kind.Resource) (bool, error) { return k.there, nil }
func (k *thing) Remove(context.Context, kind.Resource) error         { k.there = false; return nil }

// TestWhatIsMadeDuringARemovalIsTakenAwayAgain has an invocation pass the fence, and
// the environment removed before the resource is there.
func TestWhatIsMadeDuringARemovalIsTakenAwayAgain(t *testing.T) {
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	change := func(t *testing.T, f func(env *record.Environment)) {
		t.Helper()
		if _, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error { f(env); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		state    record.State // of the environment, when the resource is there
		revision int
		refused  bool
	}{
		"by a removal that goes on":        {record.CleaningUp, 1, true},
		"by a removal that has ended":      {record.Failed, 1, true},
		"but not beside a newer revision":  {record.Building, 2, false},
		"but not while nothing is removed": {record.Building, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			change(t, func(env *record.Environment) { env.State, env.Revision = record.Building, 1 })
			row := record.Resource{Environment: "pr1", Kind: "thing", Name: "a", Revision: 1, State: record.Planned, Spec: "{}"}
			if err := records.PutResource(t.Context(), row); err != nil {
				t.Fatal(err)
			}
			made := &thing{}
			s := &Resource{Kind: made, KindName: "thing", Records: records, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			in := statemachine.ResourceInput{Op: statemachine.OpEnsure, Environment: "pr1", Revision: 1, Name: "a"}
			made.meanwhile = func() {
				change(t, func(env *record.Environment) { env.State, env.Revision = c.state, c.revision })
				if c.refused {
					row.State = record.Closed // the removal looked, and found nothing
					if err := records.PutResource(t.Context(), row); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := s.Run(t.Context(), in)
			if fault.Is(err, statemachine.ErrSuperseded) != c.refused || !c.refused && err != nil {
				t.Errorf("it says %v", err)
			}
			left, _, err := records.GetResource(t.Context(), "pr1", "thing", "a")
			if err != nil {
				t.Fatal(err)
			}
			if gone := !made.there && left.State == record.Closed; gone != c.refused {
				t.Errorf("it is there: %v, and its row says %s", made.there, left.State)
			}
		})
	}
}
