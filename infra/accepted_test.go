package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// acceptance is one thing that a judge finds and that stays, with the reason.
type acceptance struct {
	Finding string // a pattern with stars
	Reason  string
}

// accepted is testdata/accepted.yaml, by judge.
func accepted(t *testing.T) map[string][]acceptance {
	t.Helper()
	data, err := os.ReadFile("testdata/accepted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]acceptance
	if err := yaml.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// compare holds what a judge has found against what is accepted of it: nothing more,
// and nothing that is no longer found.
func compare(t *testing.T, by string, findings []string) {
	t.Helper()
	all := accepted(t)[by]
	for _, finding := range unexplained(all, findings) {
		t.Errorf("%s finds %s", by, finding)
	}
	for _, a := range unneeded(all, findings) {
		t.Errorf("%s no longer finds %q; take it out of testdata/accepted.yaml", by, a.Finding)
	}
	for _, a := range all {
		if len(a.Reason) < 20 {
			t.Errorf("%s: %q is accepted for no reason", by, a.Finding)
		}
	}
}

func unexplained(all []acceptance, findings []string) []string {
	return slices.DeleteFunc(slices.Clone(findings), func(finding string) bool {
		return slices.ContainsFunc(all, func(a acceptance) bool { return covers(strings.TrimSpace(a.Finding), finding) })
	})
}

func unneeded(all []acceptance, findings []string) []acceptance {
	return slices.DeleteFunc(slices.Clone(all), func(a acceptance) bool {
		return slices.ContainsFunc(findings, func(finding string) bool { return covers(strings.TrimSpace(a.Finding), finding) })
	})
}

func TestAFindingIsAcceptedOnlyWhileItIsFound(t *testing.T) {
	all := []acceptance{{Finding: "CKV_1 of *", Reason: "a reason of some length"}, {Finding: "CKV_2 of Gone", Reason: "what it was of has gone"}}
	findings := []string{"CKV_1 of Queue", "CKV_3 of Queue"}
	if got := unexplained(all, findings); !slices.Equal(got, []string{"CKV_3 of Queue"}) {
		t.Errorf("unexplained = %q", got)
	}
	if got := unneeded(all, findings); len(got) != 1 || got[0].Finding != "CKV_2 of Gone" {
		t.Errorf("unneeded = %v", got)
	}
}
