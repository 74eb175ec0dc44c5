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

// taken is a kind whose one name somebody else has.
type taken struct{}

func (taken) refuse() error { return fault.New(statemachine.ErrForbidden, "The queue x is not ours.") }

func (k taken) Ensure(context.Context, kind.Resource) (string, error) { return "", k.refuse() }
func (taken) Verify(context.Context, kind.Resource) (bool, error)     { return true, nil }
func (k taken) Remove(context.Context, kind.Resource) error           { return k.refuse() }

func TestWhatSomebodyElseHasIsLeftBehindOnlyIfItWasOurs(t *testing.T) {
	for rule, c := range map[string]struct {
		id   string
		gone bool
	}{
		"a row that never got anything is closed":              {"", true},
		"a row that had something, which lost its tags, stays": {"url", false},
	} {
		t.Run(rule, func(t *testing.T) {
			client, table := awstest.Table(t, awstest.Config(t))
			records := record.New(client, table)
			env, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
				env.State, env.Revision, env.Incarnation = record.CleaningUp, 1, 1
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := records.PutResource(t.Context(), record.Resource{
				Environment: "pr1", Kind: "queue", Name: "orders", Revision: 1, Incarnation: 1, Spec: "{}", ID: c.id, State: record.Planned,
			}); err != nil {
				t.Fatal(err)
			}
			s := &Resource{Kind: taken{}, KindName: "queue", Records: records, ManagedBy: "pv", Log: slog.New(slog.DiscardHandler), Now: time.Now}
			out, err := s.Run(t.Context(), statemachine.ResourceInput{Op: statemachine.OpRemove, Environment: "pr1", Revision: env.Revision, Name: "orders"})
			if out.Gone != c.gone {
				t.Errorf("gone: %v (%v)", out.Gone, err)
			}
			row, _, err := records.GetResource(t.Context(), "pr1", "queue", "orders")
			if err != nil || (row.State == record.Closed) != c.gone || (row.Why == "") != c.gone {
				t.Errorf("the row is %s because %q (%v)", row.State, row.Why, err)
			}
		})
	}
}
