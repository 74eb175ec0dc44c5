package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checkov is the judge beside cdk-nag; make judges puts it there.
const checkov = "../.local/judges/bin/checkov"

// unsteady is a check that takes any 40 letters for a secret, those too that checkov
// puts in for a reference, and not each time: that a secret stands in a template by its
// name alone has a test of its own.
const unsteady = "CKV_AWS_45"

// TestCheckovFindsNothingThatIsNotExplained asks nobody outside: the checks come with
// the program.
func TestCheckovFindsNothingThatIsNotExplained(t *testing.T) {
	program, err := filepath.Abs(checkov)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("find checkov: %v; run make judges", err)
	}
	sampled(t)
	arguments := []string{"--framework", "cloudformation", "--output", "json", "--compact", "--quiet", "--soft-fail", "--skip-download", "--skip-check", unsteady}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		arguments = append(arguments, "--file", filepath.Join(reports, name+".template.json"))
	}
	arguments = append(arguments, "--file", filepath.Join(sampleFolder(), "PreviewEnvironments-pv.template.json"))
	command := exec.CommandContext(t.Context(), program, arguments...)
	command.Env = append(os.Environ(), "LOG_LEVEL=ERROR")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("run checkov: %v\n%s", err, out)
	}
	var report struct {
		Summary struct{ Passed, Failed int }
		Results struct {
			Failed []struct {
				Check    string `json:"check_id"`
				Name     string `json:"check_name"`
				Resource string
				File     string `json:"file_path"`
			} `json:"failed_checks"`
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("read what checkov says: %v\n%.500s", err, out)
	}
	if report.Summary.Passed < 500 {
		t.Errorf("checkov passed %d checks; it has not read the templates", report.Summary.Passed)
	}
	found := map[string]bool{}
	for _, f := range report.Results.Failed {
		stack := strings.TrimSuffix(filepath.Base(f.File), ".template.json")
		found[fmt.Sprintf("%s of %s %s: %s", f.Check, stack, clean(f.Resource), f.Name)] = true
	}
	compare(t, "checkov", slices.Sorted(maps.Keys(found)))
}
