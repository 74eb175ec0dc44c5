package step

import (
	"context"
	"fmt"
	"math"
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
func (c capacity) admit(settings *catalog.Settings, wanted request.Wanted, owner string) func(context.Context, []record.Environment) (record.Near, error) {
	// The load balancer is counted once, however often the records have to be.
	base := settings.Baseline
	var there *baseline.Places
	return func(ctx context.Context, live []record.Environment) (record.Near, error) {
		var near record.Near
		limits := settings.Limits
		if limits.Environments > 0 && len(live) >= limits.Environments {
			return near, full(live, "%s live, as many as the catalog allows (limits.environments).", count(len(live), "environment"))
		}
		near.Everybody = limits.Environments > 0 && limits.Environments-len(live) <= crowd
		if own := ownedBy(live, owner); owner != "" && limits.PerOwner > 0 {
			if len(own) >= limits.PerOwner {
				return near, full(own, "You have %s, as many as the catalog allows for one owner (limits.perOwner).", count(len(own), "environment"))
			}
			near.Owner = limits.PerOwner-len(own) <= crowd
		}
		need := backendsOf(settings, wanted)
		if need == 0 {
			return near, nil
		}
		if there == nil {
			places, err := c.places(ctx, base.Listeners[0], c.prefix, base.Priorities.Overrides)
			if err != nil {
				return near, err
			}
			there = &places
		}
		planned := 0
		for _, env := range live {
			planned += backendsOf(settings, env.Wanted)
		}
		for _, p := range []struct {
			place baseline.Place
			noun  string
		}{{there.TargetGroups, "target groups"}, {there.Rules, "listener rules"}} {
			free := free(p.place, planned)
			if free < need {
				return near, full(live, "The load balancer has no room for %s: %d of its %d %s are taken or promised.",
					count(need, "more service"), p.place.Limit-free, p.place.Limit, p.noun)
			}
			near.Everybody = near.Everybody || free <= crowd*need
		}
		return near, nil
	}
}

// crowd is how many environments may be asked for within the moment between counting
// and writing; with more places than that, nobody has to wait for anybody.
const crowd = 20

// free is how much of a place is left. What is planned may be there already, and what
// is there may have lost its record.
func free(p baseline.Place, planned int) int {
	if p.Limit == 0 {
		return math.MaxInt
	}
	return p.Limit - p.Others - max(p.Ours, planned)
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
