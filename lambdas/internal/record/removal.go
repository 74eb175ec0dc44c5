package record

import (
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// ClaimRemoval changes a record so that its environment is being removed: a new
// revision, so that whatever still provisions is fenced off. What is being removed
// already stays as it is, with the execution that took it over.
func ClaimRemoval(env *Environment, execution, why string) error {
	switch {
	case env.State == "":
		return fault.New(statemachine.ErrBadRequest, "There is no environment %s.", env.Name).
			WithNext("Nothing has to be removed.").In("environment")
	case env.State == Gone || env.State == Failed:
		return fault.New(statemachine.ErrBadRequest, "%s is gone already.", env.Name).
			WithNext("Nothing has to be removed; /provisionenv brings it back.").In("environment")
	case env.State == CleaningUp && env.Execution == execution:
		return ErrUnchanged
	case env.State.Live() || env.State == LeftBehind:
		env.Revision++
		env.Reason = why
	}
	env.State, env.TaskToken, env.Execution = CleaningUp, "", execution
	return nil
}
