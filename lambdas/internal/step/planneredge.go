package step

import (
	"cmp"
	"net/http"
	"strings"

	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/kinds/route"
)

// route is what the edge has to know of an environment.
func (p *Planner) route(env record.Environment, d *Draft) route.Spec {
	spec := route.Spec{
		Store: p.Config.KeyValueStore, Label: env.Name, URL: d.URL,
		Value: route.Value{State: route.Live, Commit: d.wanted.Commit, Overrides: d.wanted.Services},
	}
	for _, name := range d.wanted.Services {
		if d.services[name].Frontend != nil {
			spec.Value.Frontend = env.Name + "/" + d.wanted.Commit
			spec.Probes = append(spec.Probes, route.Probe{Service: name, Path: "/", Statuses: []int{http.StatusOK}})
			continue
		}
		probe := route.Probe{Service: name, Path: probePath(d.services[name].Paths)}
		if p := d.services[name].Probe; p != nil {
			probe.Path, probe.Statuses = cmp.Or(p.Path, probe.Path), p.Statuses
		}
		spec.Probes = append(spec.Probes, probe)
	}
	return spec
}

// probePath is a path that the patterns of a service match: the first without a
// wildcard, else the first up to its wildcard.
func probePath(patterns []string) string {
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, "*?") {
			return pattern
		}
	}
	before, _, _ := strings.Cut(patterns[0], "*")
	return strings.ReplaceAll(before, "?", "x")
}

// artifactKey is where the build of a frontend at a commit leaves its output.
func artifactKey(service, commit string) string { return "builds/" + service + "/" + commit + ".zip" }
