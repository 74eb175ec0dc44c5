package step

import (
	"context"

	"previewenv/lambdas/internal/record"
)

// MarkReady is what AwaitReady does once every override was seen through the
// public URL: what is wanted is good from here on. An update that had to go back
// ends as degraded, with the fault that made it.
func MarkReady(records *record.Store) func(context.Context, record.Environment) error {
	return func(ctx context.Context, seen record.Environment) error {
		_, err := records.Change(ctx, seen.Name, func(env *record.Environment) error {
			if err := env.Fenced(seen.Revision); err != nil {
				return err
			}
			if env.State == record.Ready {
				return record.ErrUnchanged
			}
			good := env.Wanted
			env.Good = &good
			if env.Reverting {
				env.State, env.Reverting = record.Degraded, false
				return nil
			}
			if env.State != record.Degraded {
				env.State, env.Fault = record.Ready, nil
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, name := range seen.Wanted.Services {
			err := records.SetService(ctx, seen.Name, name, seen.Revision, func(row *record.Service) {
				row.State, row.Detail, row.Fault = record.ServiceReady, "", nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}
