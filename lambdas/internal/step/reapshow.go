package step

import (
	"context"
	"time"

	"previewenv/lambdas/internal/record"
)

const (
	// streamTime is how long the table's stream has to show an end by itself.
	streamTime = 2 * time.Minute
	// showFor bounds how long an end is worth to be shown, and how often Slack is asked
	// for a channel that the app was put out of.
	showFor = 24 * time.Hour
)

// showAgain writes the records of the closed environments whose end was not shown, so
// that the stream tells of them once more: its own tries are over within minutes, which
// an outage of Slack outlasts, and a closed environment has no next change.
func (s *sweep) showAgain(ctx context.Context) {
	if s.dry {
		return
	}
	names, err := s.Records.Unshown(ctx)
	if err != nil {
		s.problem(ctx, "look for ends that were not shown", err)
		return
	}
	for _, name := range names {
		again := false
		env, err := s.Records.Change(ctx, name, func(env *record.Environment) error {
			closed := s.Now().Sub(time.Unix(env.ClosedAt, 0))
			if again = !env.State.Live() && env.ClosedAt > 0 && closed > streamTime && closed < showFor; !again {
				return record.ErrUnchanged
			}
			return nil // the version of the row is change enough
		})
		switch {
		case err != nil:
			s.problem(ctx, "show the end of "+name, err)
		case again:
			s.Log.InfoContext(ctx, "end shown again", "env", name, "revision", env.Revision, "state", env.State)
		}
	}
}
