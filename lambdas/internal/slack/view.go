package slack

import (
	"time"

	"previewenv/lambdas/internal/fault"
)

// View is all of an environment that a message shows: a projection of its record.
type View struct {
	Label          string
	URL            string // of the environment
	State          string // one of the States
	Commit         string
	CommitURL      string
	PullRequest    int
	PullRequestURL string
	Owner          string // Slack user ID
	CreatedAt      time.Time
	ExpiresAt      time.Time
	CostPerHour    float64 // in US dollars; 0 is not shown
	Cost           float64 // so far
	Services       []ServiceLine
	Queues         []string
	ExecutionURL   string
	Fault          *fault.Fault
	Notes          []string
	Receipt        string // of a removal
}

// Source tells which instance of a service an environment uses.
type Source string

// The sources.
const (
	Override Source = "override" // its own
	Shared   Source = "shared"   // the baseline's
)

// ServiceLine is one service of an environment.
type ServiceLine struct {
	Name   string
	Source Source
	State  string // a word: queued, building, starting, ready, failed …
	Commit string
	Detail string // half a sentence, if there is more to say
	LogURL string // of its build
}

// States of an environment, as the record has them.
const (
	Requested    = "Requested"
	Building     = "Building"
	Provisioning = "Provisioning"
	Ready        = "Ready"
	Degraded     = "Degraded"
	Failed       = "Failed"
	CleaningUp   = "CleaningUp"
	Gone         = "Gone"
	LeftBehind   = "LeftBehind"
	Superseded   = "Superseded"
)

// look is how a state is shown.
type look struct {
	icon  string
	words string
	live  bool // it can be extended and cleaned up
}

func lookOf(state string) look {
	switch state {
	case Requested:
		return look{":inbox_tray:", "requested", true}
	case Building:
		return look{":hammer_and_wrench:", "building", true}
	case Provisioning:
		return look{":hourglass_flowing_sand:", "provisioning", true}
	case Ready:
		return look{":large_green_circle:", "ready", true}
	case Degraded:
		return look{":large_yellow_circle:", "degraded", true}
	case Failed:
		return look{":red_circle:", "failed", false}
	case CleaningUp:
		return look{":broom:", "cleaning up", false}
	case Gone:
		return look{":white_circle:", "gone", false}
	case LeftBehind:
		return look{":warning:", "removed in part, something is left behind", false}
	case Superseded:
		return look{":fast_forward:", "superseded", false}
	}
	return look{":grey_question:", state, false}
}

// serviceIcon is of a service's state word; a word that is not known has none.
func serviceIcon(s ServiceLine) string {
	if s.Source == Shared {
		return ":link:"
	}
	switch s.State {
	case "ready":
		return ":large_green_circle:"
	case "failed", "build failed", "unhealthy":
		return ":red_circle:"
	case "gone", "removed":
		return ":white_circle:"
	}
	return ":hourglass_flowing_sand:"
}
