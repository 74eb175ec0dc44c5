package step

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// Recover decides what becomes of an environment when a step has failed: a first
// provision is rolled back, an update goes back to the last good revision under a
// revision of its own, so that whatever still runs of the failed one is fenced.
type Recover struct {
	Settings func(context.Context) (*catalog.Settings, error)
	Planner  *Planner
	Records  *record.Store
	Log      *slog.Logger
}

// Run is idempotent: once decided, the record says so.
func (r *Recover) Run(ctx context.Context, in statemachine.RecoverInput) (statemachine.RecoverOutput, error) {
	out := statemachine.RecoverOutput{Environment: in.Environment, Revision: in.Revision, Decision: statemachine.DecideSuperseded, Items: []statemachine.Item{}}
	if in.Error.Error == statemachine.ErrSuperseded {
		return out, nil
	}
	life, ok, err := r.Records.Load(ctx, in.Environment)
	if err != nil || !ok {
		return out, err
	}
	f := faultOf(life.Services, in)
	env, err := r.Records.Change(ctx, in.Environment, func(env *record.Environment) error {
		out.Decision = decide(env, in.Revision, f)
		if out.Decision == statemachine.DecideSuperseded {
			return record.ErrUnchanged
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	out.Revision = env.Revision
	r.Log.Info("recovery decided", "env", env.Name, "revision", in.Revision, "decision", out.Decision, "fault", f.Name)
	if out.Decision != statemachine.DecideRevert {
		return out, nil
	}
	settings, err := r.Settings(ctx)
	if err != nil {
		return out, err
	}
	draft, err := r.Planner.Draft(ctx, settings, env.Wanted)
	if err != nil {
		return out, err
	}
	plan, err := r.Planner.Write(ctx, env, draft)
	out.Items = plan.Items
	return out, err
}

// decide changes the record of an environment whose revision has failed.
func decide(env *record.Environment, revision int, f *fault.Fault) statemachine.Decision {
	if env.Revision == revision+1 && env.Reverting {
		return statemachine.DecideRevert // decided before, and the function died
	}
	if env.Revision == revision && env.State == record.CleaningUp && env.Good == nil {
		return statemachine.DecideCleanUp
	}
	if env.Fenced(revision) != nil {
		return statemachine.DecideSuperseded
	}
	if env.Fault == nil {
		env.Fault = f
	}
	switch {
	case env.Good == nil:
		env.State, env.Reason = record.CleaningUp, "its first provision failed"
		return statemachine.DecideCleanUp
	case env.Reverting:
		env.State, env.Reverting = record.Degraded, false
		env.Notes = append(env.Notes, "Going back to the last good revision failed as well: "+f.Error())
		return statemachine.DecideHold
	default:
		env.Wanted, env.Commit = *env.Good, env.Good.Commit
		env.Reverting = true
		env.Revision++
		return statemachine.DecideRevert
	}
}

// faultOf finds the fault that a service of the failed revision left, else makes
// one of what the state machine knows.
func faultOf(services []record.Service, in statemachine.RecoverInput) *fault.Fault {
	for _, s := range services {
		if s.Revision == in.Revision && s.Fault != nil {
			return s.Fault
		}
	}
	var cause struct {
		Message string `json:"errorMessage"`
	}
	words := in.Error.Cause
	if json.Unmarshal([]byte(in.Error.Cause), &cause) == nil && cause.Message != "" {
		words = cause.Message
	}
	if in.Error.Error == "States.Timeout" {
		return overdue(services, in)
	}
	return fault.New(in.Error.Error, "%s", words)
}

// awaited is what an override waits for in each state, and the step that does it.
var awaited = map[record.ServiceState]struct{ step, words string }{
	record.ServiceQueued:    {"build", "waited for its build"},
	record.ServiceBuilding:  {"build", "was being built"},
	record.ServiceBuilt:     {"rule", "was built and waited for its listener rule"},
	record.ServiceDeploying: {"service", "was being deployed"},
}

// overdue says what the services of a revision waited for when a step did not end in
// time: Step Functions tells neither the step nor the item.
func overdue(services []record.Service, in statemachine.RecoverInput) *fault.Fault {
	f := fault.New(in.Error.Error, "A step did not end in time.").
		WithNext("/provisionenv tries again, and takes a build that has ended meanwhile.")
	var waiting []string
	for _, s := range services {
		if wait, ok := awaited[s.State]; ok && s.Revision == in.Revision {
			waiting = append(waiting, s.Name+" "+wait.words)
			f.Service, f.Step = s.Name, wait.step
		}
	}
	if len(waiting) > 0 {
		f.What = "A step did not end in time: " + strings.Join(waiting, ", ") + "."
	}
	if len(waiting) > 1 {
		f.Service, f.Step = "", ""
	}
	return f
}
