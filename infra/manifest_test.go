package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheSlackManifestHasTheURLsOfWhatWasDeployed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outputs.json")
	outputs := `{"PreviewEnvironments-pv": {"SlackCommands": "https://door.example.com/slack/commands", "SlackInteractions": "https://door.example.com/slack/interactions"}}`
	if err := os.WriteFile(file, []byte(outputs), 0o600); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := writeManifest(&text, file); err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal([]byte(text.String()), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Features.Commands) != 3 || m.Settings.Interactivity.URL != "https://door.example.com/slack/interactions" {
		t.Errorf("the manifest is %s", text.String())
	}
	for _, c := range m.Features.Commands {
		if c.URL != "https://door.example.com/slack/commands" {
			t.Errorf("%s posts to %s", c.Command, c.URL)
		}
	}
}

func TestBeforeADeploymentTheManifestSaysWhatToDo(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(empty, []byte(`{"Other": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(t.TempDir(), "missing.json"), empty} {
		if err := writeManifest(&strings.Builder{}, file); err == nil || !strings.Contains(err.Error(), "make deploy") {
			t.Errorf("%s: the error is %v, which does not say what to do", file, err)
		}
	}
}

// TestTheDoorHasTheRoutesThatItsFunctionAnswers and no others: what step.Door knows by
// its path, and the local stack serves.
func TestTheDoorHasTheRoutesThatItsFunctionAnswers(t *testing.T) {
	var got []string
	for _, r := range control(t).of("AWS::ApiGatewayV2::Route") {
		got = append(got, text(r.at("RouteKey")))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"POST /slack/commands", "POST /slack/interactions"}, got); diff != "" {
		t.Errorf("routes (-function +door):\n%s", diff)
	}
}

// command is a slash command in a text, and no path: those have a word before.
var command = regexp.MustCompile(`(?:^|[^A-Za-z0-9_./}-])(/(?:[a-z]+envs?|env[a-z]+))\b`)

// TestEveryCommandThatATextNamesIsThere looks at whatever a person may read.
func TestEveryCommandThatATextNamesIsThere(t *testing.T) {
	var there []string
	for _, c := range newManifest("", "").Features.Commands {
		there = append(there, c.Command)
	}
	named := 0
	look := func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || strings.HasSuffix(path, "_test.go") || !slices.Contains([]string{".go", ".js", ".json", ".md", ".yaml"}, filepath.Ext(path)) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range command.FindAllStringSubmatch(string(data), -1) {
			named++
			if !slices.Contains(there, found[1]) {
				t.Errorf("%s names %s, which Slack does not know; there are %v", path, found[1], there)
			}
		}
		return nil
	}
	for _, root := range []string{"../lambdas", "../infra", "../statemachine", "../README.md"} {
		if err := filepath.WalkDir(root, look); err != nil {
			t.Fatal(err)
		}
	}
	if named < 10 {
		t.Errorf("only %d commands were found in all texts", named)
	}
}
