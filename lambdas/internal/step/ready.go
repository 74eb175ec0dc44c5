package step

import (
	"context"
	"log/slog"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/record"
)

// MarkReady is what AwaitReady does once every override was seen through the
// public URL: what is wanted is good from here on. An update that had to go back
// ends as degraded, with the fault that made it.
func MarkReady(records *record.Store, log *slog.Logger) func(context.Context, record.Environment) error {
	return func(ctx context.Context, seen record.Environment) error {
		ready := false
		env, err := records.Change(ctx, seen.Name, func(env *record.Environment) error {
			ready = false
			if err := env.Fenced(seen.Revision); err != nil {
				return err
			}
			if env.State == record.Ready {
				return record.ErrUnchanged
			}
			good := env.Wanted
			env.Good = &good
			switch {
			case env.Reverting:
				env.State, env.Reverting = record.Degraded, false
			case env.State != record.Degraded:
				env.State, env.Fault = record.Ready, nil
				ready = true
			}
			return nil
		})
		if err != nil {
			return err
		}
		if ready {
			now := records.Now()
			log.InfoContext(ctx, "environment ready", "env", env.Name, "revision", env.Revision,
				config.MetricReady, now.Sub(env.AskedAt).Seconds(), "_aws", metrics(now, "Seconds", config.MetricReady))
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
