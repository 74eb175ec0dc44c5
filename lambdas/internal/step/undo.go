package step

import (
	"context"

	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// undo puts right what was made while a removal or a newer revision went on. An
// invocation goes on when its branch is stopped: the removal may have looked for the
// resource before it was there, and what the newer revision made may be overwritten.
// Nobody would look again until the next sweep.
func (s *Resource) undo(ctx context.Context, in statemachine.ResourceInput) error {
	env, ok, err := s.Records.Get(ctx, in.Environment)
	if err != nil || ok && env.Fenced(in.Revision) == nil {
		return err
	}
	row, planned, err := s.Records.GetResource(ctx, in.Environment, s.KindName, in.Name)
	if err != nil {
		return err
	}
	if env.State.Live() {
		return s.again(ctx, env, row, in.Revision)
	}
	if planned {
		gone, err := s.takeAway(ctx, env, row)
		if err != nil {
			return err
		}
		s.Log.Info("resource made too late and removed", "env", in.Environment, "kind", s.KindName, "name", in.Name, "revision", in.Revision, "gone", gone)
		if row.State = record.Removing; gone {
			row.State = record.Closed
		}
		if err := s.Records.PutResource(ctx, row); err != nil {
			return err
		}
	}
	return record.Superseded(in.Environment, in.Revision, "it was removed meanwhile")
}

// again makes a resource by the row of a newer revision, if that had made it before.
func (s *Resource) again(ctx context.Context, env record.Environment, row record.Resource, late int) error {
	if row.Revision > late && row.State == record.Present && row.PresentAt > 0 {
		res, err := s.resource(ctx, env, row)
		if err != nil {
			return err
		}
		if _, err := s.Kind.Ensure(ctx, res); err != nil {
			return err
		}
	}
	return env.Fenced(late)
}
