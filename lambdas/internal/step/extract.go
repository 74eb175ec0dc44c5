package step

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// Extract is ExtractConfigurations: it makes of a request the exact list of builds
// and resources, claims the revision, and writes the ledger.
type Extract struct {
	Settings func(context.Context) (*catalog.Settings, error)
	Services func(ctx context.Context, names ...string) (map[string]catalog.Service, error)
	GitHub   request.GitHub
	Planner  *Planner
	Records  *record.Store
	SFN      waitEnder
	Log      *slog.Logger

	capacity capacity
}

// Run is idempotent: the same request claims the same revision and writes the
// same rows. Everything that can be refused is refused before the claim.
func (e *Extract) Run(ctx context.Context, in statemachine.ExtractInput) (statemachine.Plan, error) {
	asked, err := request.Parse(in.Request)
	if err != nil {
		return statemachine.Plan{}, err
	}
	settings, err := e.Settings(ctx)
	if err != nil {
		return statemachine.Plan{}, err
	}
	validator := request.Validator{Settings: settings, Services: e.Services, GitHub: e.GitHub, Prefix: e.Planner.Config.Prefix}
	wanted, err := validator.Validate(ctx, asked)
	if err != nil {
		return statemachine.Plan{}, err
	}
	draft, err := e.Planner.Draft(ctx, settings, wanted)
	if err != nil {
		return statemachine.Plan{}, err
	}
	env, before, err := e.Records.Claim(ctx, record.Claim{
		Wanted: wanted, Owner: asked.RequestedBy, Channel: asked.Channel,
		URL: draft.URL, MaxLifetime: time.Duration(settings.Lifetime.Max),
		Revision: asked.Revision, Execution: in.Execution,
		Admit: e.capacity.admit(settings, wanted, asked.RequestedBy),
	})
	if err != nil {
		return statemachine.Plan{}, err
	}
	plan, err := e.Planner.Write(ctx, env, draft)
	if err != nil {
		return statemachine.Plan{}, err
	}
	e.Log.Info("plan written", "env", env.Name, "revision", env.Revision, "items", len(plan.Items))
	return plan, e.release(ctx, before, in.Execution)
}

// release lets the execution go that held the environment until now; it ends
// without removing anything.
func (e *Extract) release(ctx context.Context, before record.Environment, execution string) error {
	if before.TaskToken == "" || before.Execution == execution {
		return nil
	}
	output, err := json.Marshal(statemachine.HoldOutput{
		Environment: before.Name, Revision: before.Revision, Decision: statemachine.DecideSuperseded, Seconds: 1,
	})
	if err != nil {
		return err
	}
	_, err = endWait(ctx, e.SFN, before.TaskToken, string(output))
	return err
}
