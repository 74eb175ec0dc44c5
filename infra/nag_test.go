package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func golden(t *testing.T, name string, got []string) {
	t.Helper()
	path, text := filepath.Join("testdata", name), strings.Join(got, "\n")+"\n"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("%s (-want +got); if it is right, go test ./infra -update:\n%s", name, diff)
	}
}

// finding is one line of a report of cdk-nag.
type finding struct{ RuleID, ResourceID, Compliance, ExceptionReason string }

func findings(t *testing.T) []finding {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(reports, "*NagReport.json"))
	if err != nil || len(files) != len(ours) {
		t.Fatalf("there are %d reports of %d stacks (%v)", len(files), len(ours), err)
	}
	var all []finding
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var report struct{ Lines []finding }
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatal(err)
		}
		all = append(all, report.Lines...)
	}
	return all
}

func TestNagFindsNothingThatIsNotExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, f := range findings(t) {
		switch {
		case f.Compliance == "Compliant":
		case f.Compliance == "Suppressed" && len(f.ExceptionReason) > 20:
			resource := strings.TrimPrefix(strings.TrimPrefix(f.ResourceID, "PreviewEnvironments-"), "pv/")
			explained[fmt.Sprintf("%s %s: %s", strings.TrimPrefix(f.RuleID, "AwsSolutions-"), resource, f.ExceptionReason)] = true
		default:
			t.Errorf("%s is %s of %s: %s", f.ResourceID, f.Compliance, f.RuleID, f.ExceptionReason)
		}
	}
	golden(t, "suppressions.golden", slices.Sorted(maps.Keys(explained)))
}

func TestCloudFormationTakesTheTemplates(t *testing.T) {
	lint, err := filepath.Abs("../.local/venv/bin/cfn-lint")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lint); err != nil {
		t.Fatalf("find cfn-lint: %v; run make venv", err)
	}
	// service2 has nothing that service1 has not.
	for _, stack := range []string{"PreviewEnvironments-pv", "PreviewEnvironments-pv-service1", "PreviewEnvironments-pv-web"} {
		out, err := exec.CommandContext(t.Context(), lint, filepath.Join(reports, stack+".template.json")).CombinedOutput() //nolint:gosec // of this test's own making
		if err != nil {
			t.Errorf("%s: %v\n%s", stack, err, out)
		}
	}
}
