package statemachine

// Names of the errors that functions return and the definition retries or
// catches. Lambda reports an error by the name that boot puts on it; ASL knows
// only that name. Plain words, no dots.
const (
	// ErrThrottled and ErrUnavailable pass by themselves: retried with jitter.
	ErrThrottled   = "Throttled"
	ErrUnavailable = "Unavailable"
	// ErrNotYet says that what is waited for has not happened, and may still.
	ErrNotYet = "NotYet"
	// ErrSuperseded says that a newer revision, or a removal, has been asked for.
	ErrSuperseded = "Superseded"

	// The faults that a person has to act on.
	ErrBadRequest  = "BadRequest"  // the request is wrong; nothing was started
	ErrNoBaseline  = "NoBaseline"  // the catalog and the live baseline do not agree
	ErrBuildFailed = "BuildFailed" // a build failed, timed out or produced nothing
	ErrUnhealthy   = "Unhealthy"   // a task crashes or does not pass its health check
	ErrNoAnswer    = "NoAnswer"    // the public URL does not show the override
	ErrNoRoom      = "NoRoom"      // a quota or a reserved band is full
	ErrForbidden   = "Forbidden"   // the guard refused a name, host, path or priority
	ErrInternal    = "Internal"    // anything else: a defect, or a missing permission
)

// Errors lists every name above; the contract tests hold the definition to it.
var Errors = []string{
	ErrThrottled, ErrUnavailable, ErrNotYet, ErrSuperseded,
	ErrBadRequest, ErrNoBaseline, ErrBuildFailed, ErrUnhealthy, ErrNoAnswer, ErrNoRoom, ErrForbidden, ErrInternal,
}
