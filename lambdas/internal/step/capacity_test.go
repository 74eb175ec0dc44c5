package step

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

func TestANewLifeIsAdmittedOnlyWhereThereIsRoom(t *testing.T) {
	settings := &catalog.Settings{
		Limits:   catalog.Limits{Environments: 4, PerOwner: 2},
		Baseline: catalog.Baseline{Listeners: []string{"listener"}},
		Services: []catalog.Entry{{Name: "service1"}, {Name: "service2"}, {Name: "web", Frontend: true}},
	}
	begun := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	env := func(name, owner string, hours int, services ...string) record.Environment {
		return record.Environment{
			Name: name, Owner: owner, CreatedAt: begun, ExpiresAt: begun.Add(time.Duration(hours) * time.Hour),
			Wanted: request.Wanted{Services: services},
		}
	}
	roomy := baseline.Places{TargetGroups: baseline.Place{Limit: 100}, Rules: baseline.Place{Limit: 100}}
	for name, c := range map[string]struct {
		live   []record.Environment
		owner  string
		wants  []string
		places baseline.Places
		words  []string // of the refusal; none is room
	}{
		"an empty installation admits": {wants: []string{"service1"}, owner: "U1", places: roomy},
		"the catalog's limit refuses and names who leaves first": {
			live: []record.Environment{
				env("d", "U4", 4), env("a", "U1", 1), env("c", "U3", 3), env("b", "", 2),
			},
			owner: "U9", wants: []string{"web"}, places: roomy,
			words: []string{"4 environments live", "limits.environments", "a (@U1, since 20 Nov 09:00 UTC, until 20 Nov 10:00 UTC), b (nobody's", "/cleanupenv a"},
		},
		"an owner's limit names his own": {
			live:  []record.Environment{env("a", "U1", 1), env("b", "U1", 2), env("c", "U2", 3)},
			owner: "U1", wants: []string{"web"}, places: roomy,
			words: []string{"You have 2 environments", "limits.perOwner", "a (@U1", "b (@U1"},
		},
		"nobody has no limit of his own": {
			live:  []record.Environment{env("a", "", 1), env("b", "", 2)},
			wants: []string{"web"}, places: roomy,
		},
		"a full load balancer refuses": {
			live: []record.Environment{env("a", "U1", 1, "service1")}, owner: "U2", wants: []string{"service1", "service2"},
			places: baseline.Places{TargetGroups: baseline.Place{Limit: 10, Ours: 1, Others: 8}},
			words:  []string{"no room for 2 more services", "9 of its 10 target groups"},
		},
		"what is promised counts before it is made": {
			live: []record.Environment{env("a", "U1", 1, "service1", "service2")}, owner: "U2", wants: []string{"service1"},
			places: baseline.Places{Rules: baseline.Place{Limit: 10, Ours: 0, Others: 8}},
			words:  []string{"no room for 1 more service", "10 of its 10 listener rules"},
		},
		"what lost its record counts too": {
			owner: "U2", wants: []string{"service1"},
			places: baseline.Places{Rules: baseline.Place{Limit: 10, Ours: 2, Others: 8}},
			words:  []string{"Ask the platform team for more room"},
		},
		"a frontend needs no place of the load balancer": {
			owner: "U2", wants: []string{"web"}, places: baseline.Places{TargetGroups: baseline.Place{Limit: 10, Others: 10}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			places := func(context.Context, string, string, [2]int) (baseline.Places, error) { return c.places, nil }
			_, err := capacity{prefix: "pv", places: places}.admit(settings, request.Wanted{Services: c.wants}, c.owner)(t.Context(), c.live)
			if len(c.words) == 0 {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if !fault.Is(err, statemachine.ErrNoRoom) {
				t.Fatalf("the error is %v, want a fault named %s", err, statemachine.ErrNoRoom)
			}
			for _, words := range c.words {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q lacks %q", err, words)
				}
			}
		})
	}
}

func TestARefusalNamesAtMostTen(t *testing.T) {
	var live []record.Environment
	for i := range 14 {
		live = append(live, record.Environment{Name: fmt.Sprintf("pr%d", i)})
	}
	if words := full(live, "Full.").Error(); !strings.Contains(words, "and 4 more") {
		t.Errorf("the refusal says %q", words)
	}
}
