package step

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/lambdas/kinds/route"
)

func TestAServiceIsProbedAsTheCatalogSays(t *testing.T) {
	paths := []string{"/api/*", "/api"}
	tests := map[string]struct {
		service catalog.Service
		want    route.Probe
	}{
		"the first path without a wildcard": {catalog.Service{Paths: paths}, route.Probe{Path: "/api"}},
		"a pattern up to its wildcard":      {catalog.Service{Paths: []string{"/v?/*"}}, route.Probe{Path: "/vx/"}},
		"the catalog's path and statuses": {catalog.Service{Paths: paths, Probe: &catalog.Probe{Path: "/api/healthz", Statuses: []int{200, 401}}},
			route.Probe{Path: "/api/healthz", Statuses: []int{200, 401}}},
		"statuses alone keep the path": {catalog.Service{Paths: paths, Probe: &catalog.Probe{Statuses: []int{405}}}, route.Probe{Path: "/api", Statuses: []int{405}}},
		"a frontend has its page":      {catalog.Service{Frontend: &catalog.Frontend{}}, route.Probe{Path: "/", Statuses: []int{200}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := &Draft{wanted: request.Wanted{Commit: "abcd1234", Services: []string{"service1"}}, services: map[string]catalog.Service{"service1": test.service}}
			test.want.Service = "service1"
			got := (&Planner{}).route(record.Environment{Name: "pr1"}, d)
			if diff := cmp.Diff([]route.Probe{test.want}, got.Probes); diff != "" {
				t.Errorf("probes (-want +got):\n%s", diff)
			}
		})
	}
}
