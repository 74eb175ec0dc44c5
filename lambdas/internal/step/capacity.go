package step

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// capacity says whether there is room for another environment, before anything of
// it is made. What lives is counted with everything that it may still make, so that
// of two that provision at once neither takes the other's place.
type capacity struct {
	prefix string
	places func(ctx context.Context, listener, prefix string, band [2]int) (baseline.Places, error)
}

// admit is asked about a new life only: an update of a live environment is never
// refused for capacity. A refusal is a fault named statemachine.ErrNoRoom that says
// who holds the places, since when and until when.
func (c capacity) admit(settings *catalog.Settings, wanted request.Wanted, owner string) func(context.Context, []record.Environment) error {
	return func(ctx context.Context, live []record.Environment) error {
		limits := settings.Limits
		if limits.Environments > 0 && len(live) >= limits.Environments {
			return full(live, "%s live, as many as the catalog allows (limits.environments).", count(len(live), "environment"))
		}
		if own := ownedBy(live, owner); owner != "" && limits.PerOwner > 0 && len(own) >= limits.PerOwner {
			return full(own, "You have %s, as many as the catalog allows for one owner (limits.perOwner).", count(len(own), "environment"))
		}
		need := backendsOf(settings, wanted)
		if need == 0 {
			return nil
		}
		base := settings.Baseline
		places, err := c.places(ctx, base.Listeners[0], c.prefix, base.Priorities.Overrides)
		if err != nil {
			return err
		}
		planned := 0
		for _, env := range live {
			planned += backendsOf(settings, env.Wanted)
		}
		if f := lacking(places.TargetGroups, planned, need); f > 0 {
			return full(live, "The load balancer has no room for %s: %d of its %d target groups are taken or promised.",
				count(need, "more service"), f, places.TargetGroups.Limit)
		}
		if f := lacking(places.Rules, planned, need); f > 0 {
			return full(live, "The load balancer has no room for %s: %d of its %d listener rules are taken or promised.",
				count(need, "more service"), f, places.Rules.Limit)
		}
		return nil
	}
}

// lacking is how much of a place is taken when need does not fit, else 0. What is
// planned may be there already, and what is there may have lost its record.
func lacking(p baseline.Place, planned, need int) int {
	taken := p.Others + max(p.Ours, planned)
	if p.Limit > 0 && taken+need > p.Limit {
		return taken
	}
	return 0
}

func backendsOf(settings *catalog.Settings, wanted request.Wanted) int {
	n := 0
	for _, s := range settings.Services {
		if !s.Frontend && slices.Contains(wanted.Services, s.Name) {
			n++
		}
	}
	return n
}

func ownedBy(live []record.Environment, owner string) []record.Environment {
	return slices.DeleteFunc(slices.Clone(live), func(env record.Environment) bool { return env.Owner != owner })
}

// holders is how many a refusal names.
const holders = 10

// full refuses, and names whoever holds the places, the first to leave first.
func full(live []record.Environment, format string, args ...any) error {
	live = slices.SortedFunc(slices.Values(live), func(a, b record.Environment) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	var lines []string
	for _, env := range live[:min(len(live), holders)] {
		lines = append(lines, fmt.Sprintf("%s (%s, since %s, until %s)", env.Name, whose(env.Owner), clock(env.CreatedAt), clock(env.ExpiresAt)))
	}
	if more := len(live) - holders; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	f := fault.New(statemachine.ErrNoRoom, format, args...)
	if len(lines) == 0 {
		return f.WithNext("Ask the platform team for more room.")
	}
	return f.WithNext("These hold the places: %s. /cleanupenv %s makes room, or wait until %s.",
		strings.Join(lines, ", "), live[0].Name, clock(live[0].ExpiresAt))
}

func whose(owner string) string {
	if owner == "" {
		return "nobody's"
	}
	return "@" + owner
}

// clock is an instant as a refusal shows it, the same in Slack and in the console.
func clock(t time.Time) string { return t.UTC().Format("2 Jan 15:04 UTC") }
