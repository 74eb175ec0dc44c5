package layout

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestWhoImportsWhom holds the repository to the rules.
func TestWhoImportsWhom(t *testing.T) {
	// -e: a package that does not build is for other tests to say.
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Deps", module+"/...")
	var problem strings.Builder
	command.Stderr = &problem
	out, err := command.Output()
	if err != nil {
		t.Fatalf("list packages: %v\n%s", err, problem.String())
	}
	var packages []Package
	ours := 0
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p Package
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
		if below(p.ImportPath, module) {
			ours++
		}
	}
	if ours < 10 {
		t.Fatalf("go list names %d packages of %s; the rules would hold for want of anything to break them", ours, module)
	}
	for _, broken := range Check(packages) {
		t.Error(broken)
	}
}

// TestEachRuleCanBeBroken shows for every rule an import that it refuses, and one
// beside it that it allows.
func TestEachRuleCanBeBroken(t *testing.T) {
	tests := []struct{ says, from, refused, allowed string }{
		{"statemachine imports the standard", "statemachine", "github.com/x/y", "encoding/json"},
		{"a function imports boot", "lambdas/rule", "previewenv/lambdas/internal/record", "previewenv/lambdas/kinds/rule"},
		{"nothing imports a function", "infra", "previewenv/lambdas/plan", "previewenv/lambdas/kinds"},
		{"a kind imports no other", "lambdas/kinds/rule", "previewenv/lambdas/kinds/queue", "previewenv/lambdas/internal/guard"},
		{"imported from above only", "lambdas/internal/record", "previewenv/lambdas/kinds/rule", "previewenv/lambdas/internal/kind"},
		{"catalog and config know nothing", "lambdas/catalog", "previewenv/lambdas/config", "gopkg.in/yaml.v3"},
		{"only functions import boot", "lambdas/internal/step", "previewenv/lambdas/internal/boot", "previewenv/lambdas/kinds"},
		{"only test kits", "lambdas/kinds/rule", "previewenv/lambdas/internal/awstest", "previewenv/lambdas/internal/kind"},
		{"infra imports kinds", "infra", "previewenv/lambdas/internal/kind", "previewenv/lambdas/catalog"},
		{"infra/local reaches nothing", "infra/local", "previewenv/lambdas/internal/guard", "previewenv/lambdas/catalog"},
		{"the CDK and jsii", "infra/local/seed", "github.com/aws/aws-cdk-go/awscdk/v2", "github.com/aws/aws-sdk-go-v2/service/s3"},
		{"the CDK and jsii", "lambdas/kinds", "github.com/aws/jsii-runtime-go", "previewenv/lambdas/kinds/rule"},
		{"aws-lambda-go/lambda is imported", "lambdas/internal/step", "github.com/aws/aws-lambda-go/lambda/messages", "github.com/aws/aws-lambda-go/lambdacontext"},
		{"slack-go/slack is imported", "infra/local/slack", "github.com/slack-go/slack/slackevents", "net/http"},
		{"go-github/v88 is imported", "lambdas/internal/step", "github.com/google/go-github/v88/github", "previewenv/lambdas/internal/github"},
	}
	shown := map[string]bool{}
	for _, test := range tests {
		check := func(to string) []string {
			return Check([]Package{
				{ImportPath: "encoding/json", Standard: true}, {ImportPath: "net/http", Standard: true},
				{ImportPath: module + "/" + test.from, Imports: []string{to}, Deps: []string{to}},
			})
		}
		found := strings.Join(check(test.refused), "\n")
		if !strings.Contains(found, test.says) {
			t.Errorf("%s may import %s; want it refused since %q\n%s", test.from, test.refused, test.says, found)
		}
		if found := check(test.allowed); len(found) > 0 {
			t.Errorf("an import that is allowed: %s", found)
		}
		for _, r := range rules {
			if strings.Contains(r.says, test.says) {
				shown[r.says] = true
			}
		}
	}
	for _, r := range rules {
		if !shown[r.says] {
			t.Errorf("no case shows how the rule %q is broken", r.says)
		}
	}
}

func TestAnImportOfAnImportCountsWhereItMatters(t *testing.T) {
	found := Check([]Package{{
		ImportPath: module + "/infra/local/seed",
		Imports:    []string{module + "/lambdas/kinds"},
		Deps:       []string{module + "/lambdas/kinds", module + "/lambdas/internal/kind"},
	}})
	if len(found) != 1 || !strings.Contains(found[0], "infra/local reaches nothing") {
		t.Errorf("got %q", found)
	}
}
