package step

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// Resource runs one kind behind the fence and the ledger: the row stands before
// the first call, the id is stored after it, and the row is closed only when a
// describe call says that nothing is left.
type Resource struct {
	Kind     kind.Kind
	KindName string
	Records  *record.Store
	// ManagedBy is the value of that tag: the installation's prefix.
	ManagedBy string
	Log       *slog.Logger
	Now       func() time.Time

	// Open, Await and Tune are what some kinds can do besides; nil for the rest.
	Open  func(context.Context, kind.Resource) error
	Await func(context.Context, kind.Resource) error
	Tune  func(context.Context, kind.Resource) error
	// Close tells those who use a resource of its end, before it is removed.
	Close func(context.Context, kind.Resource) error
	// Awaited is told of the end of a wait: the route makes the environment ready.
	Awaited func(context.Context, record.Environment) error
	// Patience ends a wait that Await itself does not bound; 0 is no bound.
	Patience time.Duration
	// StateName and ServiceState are what a person sees of a service meanwhile and
	// after; empty for kinds that belong to no service.
	StateName string
	Meanwhile record.ServiceState
}

// Run does one operation. Every one may be retried, redriven and re-run.
func (s *Resource) Run(ctx context.Context, in statemachine.ResourceInput) (statemachine.ResourceOutput, error) {
	if in.Op == statemachine.OpRemove {
		return s.remove(ctx, in)
	}
	env, err := s.Records.Fence(ctx, in.Environment, in.Revision)
	if err != nil {
		return statemachine.ResourceOutput{}, err
	}
	row, ok, err := s.Records.GetResource(ctx, in.Environment, s.KindName, in.Name)
	if err != nil {
		return statemachine.ResourceOutput{}, err
	}
	if !ok {
		return statemachine.ResourceOutput{}, fault.New(statemachine.ErrInternal, "the %s %s was never planned", s.KindName, in.Name)
	}
	err = s.do(ctx, in.Op, env, row)
	if in.Op == statemachine.OpEnsure || in.Op == statemachine.OpOpen {
		if late := s.undo(ctx, in); late != nil {
			return statemachine.ResourceOutput{}, late
		}
	}
	if err != nil {
		s.tell(ctx, env, row, err)
	}
	return statemachine.ResourceOutput{}, err
}

func (s *Resource) do(ctx context.Context, op statemachine.Op, env record.Environment, row record.Resource) error {
	res, err := s.resource(ctx, env, row)
	if err != nil {
		return err
	}
	switch {
	case op == statemachine.OpEnsure:
		return s.ensure(ctx, env, row, res)
	case op == statemachine.OpOpen && s.Open != nil:
		return s.Open(ctx, res)
	case op == statemachine.OpTune && s.Tune != nil:
		return s.Tune(ctx, res)
	case op == statemachine.OpAwait && s.Await != nil:
		return s.await(ctx, env, row, res)
	}
	return fault.New(statemachine.ErrInternal, "the kind %s has no operation %q", s.KindName, op)
}

func (s *Resource) ensure(ctx context.Context, env record.Environment, row record.Resource, res kind.Resource) error {
	if err := s.meanwhile(ctx, env, row, s.Meanwhile); err != nil {
		return err
	}
	id, err := s.Kind.Ensure(ctx, res)
	if err != nil {
		return err
	}
	if row.ID != id || row.State != record.Present {
		s.Log.Info("resource present", "env", env.Name, "kind", s.KindName, "name", row.Name, "revision", env.Revision)
	}
	row.ID, row.State, row.PresentAt = id, record.Present, s.Now().Unix()
	return s.Records.PutResource(ctx, row)
}

func (s *Resource) await(ctx context.Context, env record.Environment, row record.Resource, res kind.Resource) error {
	err := s.Await(ctx, res)
	if err == nil {
		if err := s.meanwhile(ctx, env, row, record.ServiceReady); err != nil {
			return err
		}
		if s.Awaited != nil {
			return s.Awaited(ctx, env)
		}
		return nil
	}
	waited := s.Now().Sub(time.Unix(row.PresentAt, 0))
	if f := fault.As(err); f != nil && f.Name == statemachine.ErrNotYet && s.Patience > 0 && waited > s.Patience {
		late := *f
		late.Name = statemachine.ErrNoAnswer
		late.What += " This was the answer for " + s.Patience.String() + "."
		return &late
	}
	return err
}

// remove takes a resource away if the environment is being removed, or if its
// newest revision no longer wants it.
func (s *Resource) remove(ctx context.Context, in statemachine.ResourceInput) (statemachine.ResourceOutput, error) {
	env, ok, err := s.Records.Get(ctx, in.Environment)
	if err != nil {
		return statemachine.ResourceOutput{}, err
	}
	row, planned, err := s.Records.GetResource(ctx, in.Environment, s.KindName, in.Name)
	if err != nil || !ok || !planned || row.State == record.Closed {
		return statemachine.ResourceOutput{Gone: true}, err
	}
	stale := env.State.Live() && row.Revision < env.Revision
	if env.Revision != in.Revision || (env.State != record.CleaningUp && !stale) {
		return statemachine.ResourceOutput{}, record.Superseded(in.Environment, in.Revision, "a newer one has "+row.Key())
	}
	if row.State != record.Removing {
		row.State, row.RemovingSince, row.Tries = record.Removing, s.Now().Unix(), 0
	}
	row.Tries++
	if err := s.Records.PutResource(ctx, row); err != nil {
		return statemachine.ResourceOutput{}, err
	}
	gone, err := s.takeAway(ctx, env, row)
	if err != nil {
		row.Why = named(err, row.Service, "").Error()
		if put := s.Records.PutResource(ctx, row); put != nil {
			s.Log.Warn("reason of a failed removal not stored", "env", env.Name, "kind", s.KindName, "name", row.Name)
		}
		return statemachine.ResourceOutput{}, err
	}
	if !gone {
		return statemachine.ResourceOutput{}, nil
	}
	s.Log.Info("resource gone", "env", env.Name, "kind", s.KindName, "name", row.Name, "revision", env.Revision)
	row.State, row.Why = record.Closed, ""
	return statemachine.ResourceOutput{Gone: true}, s.Records.PutResource(ctx, row)
}

// takeAway says so, removes, then looks.
func (s *Resource) takeAway(ctx context.Context, env record.Environment, row record.Resource) (gone bool, err error) {
	res := s.row(env, row)
	if s.Close != nil {
		if err := s.Close(ctx, res); err != nil {
			return false, err
		}
	}
	err = s.Kind.Remove(ctx, res)
	if madeNothing(row, err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	present, err := s.Kind.Verify(ctx, res)
	return !present, err
}

// madeNothing tells that there is nothing of the row to be removed: what bears its
// name is somebody else's, and was when Ensure refused it, so that there is no id.
func madeNothing(row record.Resource, err error) bool {
	return row.ID == "" && fault.Is(err, statemachine.ErrForbidden)
}

// resource is the row as its kind sees it, with the ids of what it stands on.
func (s *Resource) resource(ctx context.Context, env record.Environment, row record.Resource) (kind.Resource, error) {
	res := s.row(env, row)
	for _, need := range row.Needs {
		needKind, needName, _ := cutKey(need)
		other, ok, err := s.Records.GetResource(ctx, env.Name, needKind, needName)
		if err != nil {
			return res, err
		}
		if !ok || other.State != record.Present {
			return res, fault.New(statemachine.ErrNotYet, "%s is not there yet.", need)
		}
		res.Needs[need] = other.ID
	}
	return res, nil
}

func (s *Resource) row(env record.Environment, row record.Resource) kind.Resource {
	return resourceOf(s.ManagedBy, env, row)
}

// resourceOf is a row of the ledger as its kind sees it.
func resourceOf(managedBy string, env record.Environment, row record.Resource) kind.Resource {
	return kind.Resource{
		Environment: row.Environment, Name: row.Name, Incarnation: row.Incarnation,
		Spec: json.RawMessage(row.Spec), ID: row.ID, Needs: map[string]string{},
		Tags: kind.Tags(map[string]string{
			"ManagedBy": managedBy, "Environment": row.Environment, "PullRequest": strconv.Itoa(env.Wanted.PullRequest),
			"Owner": orNobody(env.Owner), "Commit": env.Wanted.Commit,
			"ExpiresAt": env.MaxExpiresAt.UTC().Format(time.RFC3339),
		}),
	}
}

// meanwhile shows on the service's row what is being done for it.
func (s *Resource) meanwhile(ctx context.Context, env record.Environment, row record.Resource, state record.ServiceState) error {
	if row.Service == "" || s.Meanwhile == "" {
		return nil
	}
	return s.Records.SetService(ctx, env.Name, row.Service, env.Revision, func(service *record.Service) {
		service.State, service.Detail, service.Fault = state, "", nil
	})
}

// tell leaves an error where the developer sees it: what is waited for as a detail,
// what ends the provision as a fault. The error itself goes to the state machine.
func (s *Resource) tell(ctx context.Context, env record.Environment, row record.Resource, err error) {
	if fault.Is(err, statemachine.ErrSuperseded) {
		return
	}
	f := named(err, row.Service, s.StateName)
	var put error
	switch {
	case row.Service == "" && !passes(err):
		put = s.failEnvironment(ctx, env, f)
	case row.Service == "":
		return
	case passes(err):
		put = s.Records.SetService(ctx, env.Name, row.Service, env.Revision, func(service *record.Service) {
			service.Detail = f.What
		})
	default:
		put = failService(ctx, s.Records, env.Name, row.Service, env.Revision, f)
	}
	if put != nil {
		s.Log.Warn("fault not stored", "env", env.Name, "kind", s.KindName, "name", row.Name)
	}
}

func (s *Resource) failEnvironment(ctx context.Context, env record.Environment, f *fault.Fault) error {
	_, err := s.Records.Change(ctx, env.Name, func(now *record.Environment) error {
		if now.Fenced(env.Revision) != nil {
			return record.ErrUnchanged
		}
		now.Fault = f
		return nil
	})
	return err
}

func orNobody(owner string) string {
	if owner == "" {
		return "unknown"
	}
	return owner
}
