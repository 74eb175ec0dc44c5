package step

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// Hold keeps an environment until its deadline: it stores the token by which the
// wait can be ended, and claims the removal when the time is up.
type Hold struct {
	Settings func(context.Context) (*catalog.Settings, error)
	Records  *record.Store
	SFN      waitEnder
	Now      func() time.Time
	Log      *slog.Logger
}

// Run does one operation; each is idempotent.
func (h *Hold) Run(ctx context.Context, in statemachine.HoldInput) (statemachine.HoldOutput, error) {
	switch in.Op {
	case statemachine.HoldClaimExpiry:
		return h.claimExpiry(ctx, in)
	case statemachine.HoldStoreToken:
		return h.storeToken(ctx, in)
	case statemachine.HoldClaimRemoval:
		return h.claimRemoval(ctx, in)
	}
	return statemachine.HoldOutput{}, fault.New(statemachine.ErrInternal, "the hold has no operation %q", in.Op)
}

// claimExpiry claims the removal if the deadline has passed, by a write that an
// extension would have made impossible, else says how long to hold.
func (h *Hold) claimExpiry(ctx context.Context, in statemachine.HoldInput) (statemachine.HoldOutput, error) {
	settings, err := h.Settings(ctx)
	if err != nil {
		return statemachine.HoldOutput{}, err
	}
	out := statemachine.HoldOutput{Environment: in.Environment, Revision: in.Revision, Seconds: 1}
	_, err = h.Records.Change(ctx, in.Environment, func(env *record.Environment) error {
		now := h.Now()
		switch {
		case env.Revision == in.Revision && env.State == record.CleaningUp && env.Execution == in.Execution:
			out.Decision = statemachine.DecideCleanUp // claimed before, and the answer was lost
			return record.ErrUnchanged
		case env.Fenced(in.Revision) != nil || env.Execution != in.Execution:
			out.Decision = statemachine.DecideSuperseded
			return record.ErrUnchanged
		case !now.Before(env.ExpiresAt):
			out.Decision = statemachine.DecideCleanUp
			env.State, env.Reason, env.TaskToken = record.CleaningUp, "its time was up", ""
			return nil
		}
		out.Decision = statemachine.DecideHold
		var due bool
		out.Seconds, due = wait(now, env.ExpiresAt, time.Duration(settings.Lifetime.Warn))
		if due && env.WarnedFor != env.ExpiresAt.Unix() {
			env.WarnedFor = env.ExpiresAt.Unix()
			return nil
		}
		return record.ErrUnchanged
	})
	if err == nil {
		h.Log.Info("expiry checked", "env", in.Environment, "revision", in.Revision, "decision", out.Decision, "seconds", out.Seconds)
	}
	return out, err
}

// wait is how long to hold before the next look, and whether the warning is due:
// first until the warning, then until the deadline. Step Functions waits whole
// seconds, so it is rounded up, never to 0.
func wait(now, deadline time.Time, warn time.Duration) (seconds int, due bool) {
	until := deadline
	if warn > 0 {
		due = !now.Before(deadline.Add(-warn))
		if !due {
			until = deadline.Add(-warn)
		}
	}
	return max(1, int(math.Ceil(until.Sub(now).Seconds()))), due
}

// storeToken keeps the token of the Hold state. If the wish to end the wait came
// before the token was there, the wait is ended now: a clean-up that told this
// execution by the token of an attempt that had failed is carried out.
func (h *Hold) storeToken(ctx context.Context, in statemachine.HoldInput) (statemachine.HoldOutput, error) {
	out := statemachine.HoldOutput{Environment: in.Environment, Revision: in.Revision, Decision: statemachine.DecideHold, Seconds: 1}
	_, err := h.Records.Change(ctx, in.Environment, func(env *record.Environment) error {
		if env.Fenced(in.Revision) != nil || env.Execution != in.Execution {
			out.Decision = statemachine.DecideSuperseded
			if env.State == record.CleaningUp && env.TaskToken != "" && env.Execution == in.Execution {
				out.Decision, out.Revision = statemachine.DecideCleanUp, env.Revision
			}
			return record.ErrUnchanged
		}
		env.TaskToken = in.TaskToken
		return nil
	})
	if err != nil || out.Decision == statemachine.DecideHold {
		return out, err
	}
	output := fmt.Sprintf(`{"environment":%q,"revision":%d,"decision":%q,"seconds":1}`, in.Environment, out.Revision, out.Decision)
	_, err = endWait(ctx, h.SFN, in.TaskToken, output)
	return out, err
}

// claimRemoval fences off every older execution. A removal that runs already is
// taken over: its steps are idempotent.
func (h *Hold) claimRemoval(ctx context.Context, in statemachine.HoldInput) (statemachine.HoldOutput, error) {
	if len(in.Request) > 0 {
		asked, err := request.Parse(in.Request)
		if err != nil {
			return statemachine.HoldOutput{}, err
		}
		in.Environment = asked.Environment
	}
	var token string
	env, err := h.Records.Change(ctx, in.Environment, func(env *record.Environment) error {
		token = env.TaskToken
		return record.ClaimRemoval(env, in.Execution, "it was asked to")
	})
	out := statemachine.HoldOutput{Environment: in.Environment, Revision: env.Revision, Decision: statemachine.DecideCleanUp, Seconds: 1}
	if err != nil || token == "" {
		return out, err
	}
	_, err = endWait(ctx, h.SFN, token, fmt.Sprintf(`{"environment":%q,"revision":%d,"decision":%q,"seconds":1}`,
		in.Environment, env.Revision, statemachine.DecideSuperseded))
	return out, err
}
