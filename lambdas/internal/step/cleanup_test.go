package step

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

func TestWhatAnUpdateLeavesToOpenPages(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	build := func(name string, revision int, ago time.Duration) record.Resource {
		return record.Resource{Kind: "frontend", Name: name, Service: "web", Revision: revision, State: record.Present, PresentAt: now.Add(-ago).Unix()}
	}
	backend := record.Resource{Kind: "service", Name: "service1", Service: "service1", Revision: 2, State: record.Present}
	never := record.Resource{Kind: "frontend", Name: "c", Service: "web", Revision: 2, State: record.Planned}
	tests := map[string]struct {
		rows  []record.Resource
		scope statemachine.Scope
		goes  []string
	}{
		"the build before the newest stays":            {[]record.Resource{build("a", 2, time.Hour), build("b", 3, 0)}, statemachine.ScopeStale, nil},
		"the one before that goes":                     {[]record.Resource{build("a", 1, 2*time.Hour), build("b", 2, time.Hour), build("c", 3, 0)}, statemachine.ScopeStale, []string{"a"}},
		"it stays while it was followed a moment ago":  {[]record.Resource{build("a", 1, time.Hour), build("b", 2, 59*time.Second), build("c", 3, 0)}, statemachine.ScopeStale, nil},
		"a minute later it goes":                       {[]record.Resource{build("a", 1, time.Hour), build("b", 2, 60*time.Second), build("c", 3, 0)}, statemachine.ScopeStale, []string{"a"}},
		"a build that never came is nobody's page":     {[]record.Resource{build("a", 1, time.Hour), never, build("d", 3, 0)}, statemachine.ScopeStale, []string{"c"}},
		"a frontend that is no longer wanted was read": {[]record.Resource{build("a", 2, time.Hour)}, statemachine.ScopeStale, nil},
		"a backend that is no longer wanted goes":      {[]record.Resource{backend, build("b", 3, 0)}, statemachine.ScopeStale, []string{"service1"}},
		"the end of the environment takes all":         {[]record.Resource{backend, build("a", 1, time.Hour), build("b", 2, 0), build("c", 3, 0)}, statemachine.ScopeAll, []string{"service1", "a", "b", "c"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			life := record.Life{Environment: record.Environment{Revision: 3, State: record.Ready}, Resources: test.rows}
			var goes []string
			for _, row := range open(life, test.scope, now) {
				goes = append(goes, row.Name)
			}
			if diff := cmp.Diff(test.goes, goes); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
		})
	}
}
