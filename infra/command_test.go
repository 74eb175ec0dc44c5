package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// sampleCommand is how the README tells to try it in an empty account.
var sampleCommand = regexp.MustCompile(`CDK="(-c sample=true[^"]*)"`)

// TestTheCommandsOfTheREADMEWorkWithoutCredentials runs them as a person does: a
// synthesis that asks the account for anything ends here.
func TestTheCommandsOfTheREADMEWorkWithoutCredentials(t *testing.T) {
	if testing.Short() {
		t.Skip("two syntheses by the CLI take a minute")
	}
	found := sampleCommand.FindStringSubmatch(readFile(t, "../README.md"))
	if found == nil {
		t.Fatal("the README no longer tells how to make the sample")
	}
	sample := strings.Fields(found[1])
	for i, word := range sample {
		if key, _, ok := strings.Cut(word, "="); ok {
			value, known := tryOut[key]
			if !known {
				t.Fatalf("the README's command has %q, of which this test knows nothing", word)
			}
			sample[i] = key + "=" + value
		}
	}
	for name, arguments := range map[string]string{"a running baseline": "", "an empty account": strings.Join(sample, " ")} {
		// What make builds and installs is there, or this test would not run.
		command := exec.CommandContext(t.Context(), "make", "-o", "build", "-o", "infra/node_modules/.package-lock.json", "synth", //nolint:gosec // of this test's own making
			"CDK="+arguments+" --output "+t.TempDir())
		command.Dir, command.Env = "..", withoutCredentials()
		out, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, noise := range []string{"end-of-life", "Unknown option"} {
			if strings.Contains(string(out), noise) {
				t.Errorf("%s: a person reads %q in\n%s", name, noise, out)
			}
		}
	}
}

// withoutCredentials is the environment without anything that leads to an account.
func withoutCredentials() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") && !strings.HasPrefix(variable, "CDK_") {
			kept = append(kept, variable)
		}
	}
	return append(kept, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
}
