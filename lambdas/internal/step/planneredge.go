package step

import (
	"net/http"

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
		probe := route.Probe{Service: name, Path: d.services[name].ProbePath()}
		if d.services[name].Frontend != nil {
			spec.Value.Frontend = env.Name + "/" + d.wanted.Commit
			probe.Statuses = []int{http.StatusOK}
		} else if p := d.services[name].Probe; p != nil {
			probe.Statuses = p.Statuses
		}
		spec.Probes = append(spec.Probes, probe)
	}
	return spec
}

// artifactKey is where the build of a frontend at a commit leaves its output.
func artifactKey(service, commit string) string { return "builds/" + service + "/" + commit + ".zip" }
