package step

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// TestWhatTheEdgeHasNoRoomForIsRefusedBeforeAnythingIsRead has a planner without a
// baseline: to ask for one would be too late, and nothing is built before a plan.
func TestWhatTheEdgeHasNoRoomForIsRefusedBeforeAnythingIsRead(t *testing.T) {
	for _, c := range []struct {
		services int
		refused  bool
	}{{2, false}, {40, true}} {
		t.Run(fmt.Sprint(c.services), func(t *testing.T) {
			services := map[string]catalog.Service{}
			wanted := request.Wanted{Label: "pr1", Commit: commit("1")}
			for i := range c.services {
				name := fmt.Sprintf("%s%02d", strings.Repeat("n", 30), i)
				services[name] = catalog.Service{Frontend: &catalog.Frontend{Output: "dist"}}
				wanted.Services = append(wanted.Services, name)
			}
			planner := &Planner{Services: func(context.Context, ...string) (map[string]catalog.Service, error) { return services, nil }}
			_, err := planner.Draft(t.Context(), &catalog.Settings{}, wanted)
			if fault.Is(err, statemachine.ErrNoRoom) != c.refused || err != nil && !c.refused {
				t.Errorf("Draft = %v", err)
			}
		})
	}
}
