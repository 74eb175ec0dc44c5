package step

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// thing is a kind whose making takes a while, the first time.
type thing struct {
	spec      string // of what is there; empty is nothing
	meanwhile func()
}

func (k *thing) Ensure(_ context.Context, r kind.Resource) (string, error) {
	if meanwhile := k.meanwhile; meanwhile != nil {
		k.meanwhile = nil
		meanwhile()
	}
	k.spec = string(r.Spec)
	return "id", nil
}
func (k *thing) Verify(context.Context, kind.Resource) (bool, error) { return k.spec != "", nil }
func (k *thing) Remove(context.Context, kind.Resource) error         { k.spec = ""; return nil }

// TestWhatIsMadeTooLateIsPutRight has an invocation of revision 1 pass the fence, and
// something else come before its resource is there.
func TestWhatIsMadeTooLateIsPutRight(t *testing.T) {
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	row := func(spec string, revision int, state record.ResourceState, at int64) record.Resource {
		return record.Resource{Environment: "pr1", Kind: "thing", Revision: revision, State: state, Spec: spec, PresentAt: at}
	}
	for name, c := range map[string]struct {
		state    record.State // of the environment, when the resource is there
		revision int
		row      record.Resource // what stands in the ledger by then
		refused  bool
		want     string // the specification of what is there in the end
	}{
		"nothing came":               {record.Building, 1, row("old", 1, record.Planned, 0), false, "old"},
		"a removal that goes on":     {record.CleaningUp, 1, row("old", 1, record.Closed, 0), true, ""},
		"a removal that has ended":   {record.Failed, 1, row("old", 1, record.Closed, 0), true, ""},
		"a newer revision made it":   {record.Building, 2, row("new", 2, record.Present, 5), true, "new"},
		"a newer revision will":      {record.Building, 2, row("new", 2, record.Present, 0), true, "old"},
		"a newer one never wants it": {record.Building, 2, row("old", 1, record.Present, 5), true, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			put := func(row record.Resource, state record.State, revision int) {
				_, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
					env.State, env.Revision = state, revision
					return nil
				})
				row.Name = name
				if err := errors.Join(err, records.PutResource(t.Context(), row)); err != nil {
					t.Fatal(err)
				}
			}
			put(row("old", 1, record.Planned, 0), record.Building, 1)
			made := &thing{meanwhile: func() { put(c.row, c.state, c.revision) }}
			s := &Resource{Kind: made, KindName: "thing", Records: records, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			_, err := s.Run(t.Context(), statemachine.ResourceInput{Op: statemachine.OpEnsure, Environment: "pr1", Revision: 1, Name: name})
			if fault.Is(err, statemachine.ErrSuperseded) != c.refused || !c.refused && err != nil {
				t.Errorf("it says %v", err)
			}
			if got := made.spec; got != c.want {
				t.Errorf("what is there is by %q, want %q", got, c.want)
			}
			left, _, err := records.GetResource(t.Context(), "pr1", "thing", name)
			if closed := left.State == record.Closed; err != nil || closed != (c.want == "") {
				t.Errorf("its row says %s (%v)", left.State, err)
			}
		})
	}
}
