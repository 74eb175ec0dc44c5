package main

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"previewenv/lambdas/catalog"
	"previewenv/statemachine"
)

// TestAStateWaitsLongerThanAnyBuildOfACatalog adds up what a state waits for: the queue
// of the project, the longest build, and ten minutes for its start and its end.
func TestAStateWaitsLongerThanAnyBuildOfACatalog(t *testing.T) {
	waits := timeouts(t, []byte(statemachine.Definition))
	for _, service := range services {
		minutes, err := strconv.Atoi(text(project(t, service, "ephemeral").at("QueuedTimeoutInMinutes")))
		if err != nil {
			t.Fatal(err)
		}
		needed := time.Duration(minutes)*time.Minute + catalog.LongestBuild + 10*time.Minute
		for _, state := range []string{"BuildBackend", "BuildFrontend"} {
			if waits[state] < needed {
				t.Errorf("%s waits %s; a build of %s may take %s", state, waits[state], service, needed)
			}
		}
	}
}

// timeouts are those of all states, by name, at every depth.
func timeouts(t *testing.T, definition []byte) map[string]time.Duration {
	t.Helper()
	found := map[string]time.Duration{}
	var walk func(v any, name string)
	walk = func(v any, name string) {
		switch v := v.(type) {
		case map[string]any:
			if seconds, ok := v["TimeoutSeconds"].(float64); ok {
				found[name] = time.Duration(seconds) * time.Second
			}
			for key, below := range v {
				walk(below, key)
			}
		case []any:
			for _, below := range v {
				walk(below, name)
			}
		}
	}
	var parsed any
	if err := json.Unmarshal(definition, &parsed); err != nil {
		t.Fatal(err)
	}
	walk(parsed, "")
	return found
}
