package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"previewenv/lambdas/catalog"
	"previewenv/statemachine"
)

// secondsOf are the times that the states of a name wait, wherever they stand in the
// definition.
func secondsOf(v any, state string) []float64 {
	var found []float64
	switch v := v.(type) {
	case []any:
		for _, below := range v {
			found = append(found, secondsOf(below, state)...)
		}
	case map[string]any:
		for key, below := range v {
			if s, ok := below.(map[string]any); ok && key == state {
				if seconds, ok := s["TimeoutSeconds"].(float64); ok {
					found = append(found, seconds)
				}
			}
			found = append(found, secondsOf(below, state)...)
		}
	}
	return found
}

// longestBuild is the most minutes that the catalog takes for a build.
func longestBuild(t *testing.T) float64 {
	t.Helper()
	const day = 24 * 60
	text := readFile(t, "catalog.yaml")
	return float64(sort.Search(2*day, func(minutes int) bool {
		longer := fmt.Sprintf("{buildspec: web/buildspec.yml, timeout: %dm}", minutes+1)
		_, err := catalog.Parse([]byte(strings.Replace(text, "{buildspec: web/buildspec.yml}", longer, 1)))
		return err != nil
	}))
}

// TestABuildEndsBeforeTheStateThatWaitsForIt holds the catalog, the projects and the
// definition to each other: a build waits in the queue, then runs.
func TestABuildEndsBeforeTheStateThatWaitsForIt(t *testing.T) {
	var definition any
	if err := json.Unmarshal([]byte(statemachine.Definition), &definition); err != nil {
		t.Fatal(err)
	}
	longest := longestBuild(t)
	var found []string
	for service, state := range map[string]string{"service1": "BuildBackend", "web": "BuildFrontend"} {
		waits := secondsOf(definition, state)
		if len(waits) != 1 {
			t.Fatalf("%s has the times %v", state, waits)
		}
		queued, ok := project(t, service, "ephemeral").at("QueuedTimeoutInMinutes").(float64)
		if !ok {
			t.Fatalf("builds of %s wait for as long as CodeBuild likes", service)
		}
		if minutes := waits[0] / 60; queued+longest >= minutes {
			found = append(found, fmt.Sprintf("%s ends after %g minutes, and a build may wait %g and run %g", state, minutes, queued, longest))
		}
	}
	slices.Sort(found)
	compare(t, "time", found)
}
