package smoke

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Act is a provision, an update or a clean-up.
type Act struct {
	Name, Commit string
	Asked, Done  time.Time
	States       []State // of its execution
	Tasks        []types.Task
}

// exited is when a state of an act ended, the last time.
func (a *Act) exited(name string) (at time.Time, ok bool) {
	for _, s := range a.States {
		if s.Name == name && s.Exited.After(at) {
			at, ok = s.Exited, true
		}
	}
	return at, ok
}

// Measure is a time that an emulator cannot tell.
type Measure struct{ Act, What, Took, Note string }

// measure makes the measures out of the states and the answers.
func (r *Report) measure() {
	slices.SortFunc(r.Answers, func(a, b Answer) int { return a.At.Compare(b.At) })
	for _, a := range r.Acts {
		if !a.Done.IsZero() {
			r.took(a, "asked for → done", a.Done.Sub(a.Asked), "")
		}
		r.states(a)
		r.started(a)
		if a.Commit == "" {
			r.removal(a)
			continue
		}
		if published, ok := a.exited("PublishRoute"); ok {
			r.published(a, published)
		}
	}
}

func (r *Report) took(a *Act, what string, d time.Duration, note string) {
	r.Measures = append(r.Measures, Measure{a.Name, what, d.Round(10 * time.Millisecond).String(), note})
}

// states are the times of a service's build, rule and task.
func (r *Report) states(a *Act) {
	started := map[string]time.Time{}
	for _, s := range a.States {
		switch s.Name {
		case "BuildBackend", "BuildFrontend":
			r.took(a, "build of "+s.Service, s.Exited.Sub(s.Entered), "queued, built and told")
		case "CreateListenerRule":
			r.took(a, "rule of "+s.Service, s.Exited.Sub(s.Entered), "")
		case "RunService":
			started[s.Service] = s.Exited
		case "AwaitHealthy":
			r.took(a, "task of "+s.Service, s.Exited.Sub(started[s.Service]), "placed, pulled, started and healthy")
		}
	}
}

// published measures from the one write that shows a revision: until the edge shows
// it, until it shows nothing else, and from the edge on to the service.
func (r *Report) published(a *Act, at time.Time) {
	for _, service := range r.services() {
		var first, own, last time.Time
		between := map[Kind]int{}
		for _, answer := range r.Answers {
			if answer.Service != service || answer.At.Before(at) || !a.Done.IsZero() && answer.Phase != a.Name && answer.Phase != a.Name+" ready" {
				continue
			}
			seen := answer.At.Add(answer.Took)
			mine := answer.Kind == Own && strings.HasPrefix(answer.Commit, a.Commit)
			switch {
			case mine && own.IsZero():
				own = seen
			case !mine && own.IsZero() && answer.Kind != Page:
				between[answer.Kind]++
			}
			if (mine || answer.Kind != Page) && first.IsZero() {
				first = seen
			}
			if !mine {
				last = seen
			}
		}
		if own.IsZero() {
			r.Measures = append(r.Measures, Measure{a.Name, "KeyValueStore, " + service, "never seen", ""})
			continue
		}
		if update := a != r.Acts[0]; update {
			r.took(a, "KeyValueStore → edge, "+service, own.Sub(at), "published → the first answer of the new commit")
		} else {
			r.took(a, "KeyValueStore → edge, "+service, first.Sub(at), "published → the first answer that is not the waiting page")
			if note := counted(between); note != "" || own.After(first) {
				r.took(a, "rule → traffic, "+service, own.Sub(first), strings.TrimSuffix("meanwhile "+note, "meanwhile "))
			}
		}
		if !last.IsZero() {
			r.took(a, "KeyValueStore, stale until, "+service, last.Sub(at), "published → the last answer that was not the new commit's")
		}
	}
}

// removal measures from the request, and from the removal of the route.
func (r *Report) removal(a *Act) {
	for _, service := range r.services() {
		var page, own time.Time
		for _, answer := range r.Answers {
			if answer.Service != service || answer.At.Before(a.Asked) {
				continue
			}
			if answer.Kind == Page && page.IsZero() {
				page = answer.At.Add(answer.Took)
			}
			if answer.Kind != Page {
				own = answer.At.Add(answer.Took)
			}
		}
		if !page.IsZero() {
			r.took(a, "first page, "+service, page.Sub(a.Asked), "asked for → the page of a host that is not live")
		}
		if route, ok := a.exited("RemoveRoute"); ok && own.After(route) {
			r.took(a, "last answer, "+service, own.Sub(route), "route removed → the last answer that was not the page")
		}
	}
}

func (r *Report) services() []string {
	var names []string
	for name := range r.Options.Services {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func counted(kinds map[Kind]int) string {
	var parts []string
	for _, kind := range []Kind{Own, Baseline, Lied, Broken, Unmarked, Page} {
		if n := kinds[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(parts, ", ")
}
