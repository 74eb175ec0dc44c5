package step

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

// rounds is how often the race is run; each is some ten calls to the emulator.
const rounds = 1000

// TestAConfirmedExtensionIsHonouredAndALateOneRefused lets an extension and the claim
// of an expiry meet at the deadline, each by its own clock, again and again: exactly
// one of them wins.
func TestAConfirmedExtensionIsHonouredAndALateOneRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	deadline := time.Unix(1_800_000_000, 0)
	quiet := slog.New(slog.DiscardHandler)
	hold := &Hold{
		Records: records, Log: quiet, Now: func() time.Time { return deadline },
		Settings: func(context.Context) (*catalog.Settings, error) { return &catalog.Settings{}, nil },
	}
	door := &Door{Records: records, Log: quiet, Now: func() time.Time { return deadline.Add(-time.Millisecond) }}
	extended := 0
	for round := range rounds {
		revision := prepare(t, records, deadline)
		var out statemachine.HoldOutput
		var holdErr, doorErr error
		var both sync.WaitGroup
		both.Go(func() {
			out, holdErr = hold.Run(context.Background(), statemachine.HoldInput{
				Op: statemachine.HoldClaimExpiry, Environment: "pr1", Revision: revision, Execution: "arn:hold",
			})
		})
		both.Go(func() { _, doorErr = door.extend(context.Background(), slack.Target{Label: "pr1"}, time.Hour) })
		both.Wait()
		env, _, err := records.Get(t.Context(), "pr1")
		if err != nil || holdErr != nil {
			t.Fatalf("round %d: %v, %v", round, err, holdErr)
		}
		switch {
		case doorErr == nil:
			extended++
			if env.State != record.Ready || out.Decision != statemachine.DecideHold || !env.ExpiresAt.Equal(deadline.Add(time.Hour)) {
				t.Fatalf("round %d: the extension was confirmed, and it is %s until %s, decided %s", round, env.State, env.ExpiresAt, out.Decision)
			}
		case !fault.Is(doorErr, statemachine.ErrBadRequest):
			t.Fatalf("round %d: extend = %v", round, doorErr)
		case env.State != record.CleaningUp || out.Decision != statemachine.DecideCleanUp || !env.ExpiresAt.Equal(deadline):
			t.Fatalf("round %d: the extension was refused, and it is %s until %s, decided %s", round, env.State, env.ExpiresAt, out.Decision)
		}
	}
	t.Logf("the extension won %d of %d rounds", extended, rounds)
	if extended == 0 || extended == rounds {
		t.Errorf("the extension won %d of %d rounds: they did not race", extended, rounds)
	}
}

func prepare(t *testing.T, records *record.Store, deadline time.Time) int {
	t.Helper()
	env, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
		*env = record.Environment{
			Name: env.Name, Item: env.Item, Version: env.Version, Revision: env.Revision + 1, Incarnation: 1,
			State: record.Ready, Execution: "arn:hold", ExpiresAt: deadline, MaxExpiresAt: deadline.Add(24 * time.Hour), Live: "yes",
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return env.Revision
}
