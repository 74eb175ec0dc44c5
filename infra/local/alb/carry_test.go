package alb

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/manner"
)

func TestARuleCarriesAndDropsAMomentLater(t *testing.T) {
	c := carrier{manners: &manner.Manners{Seed: 1, Factor: 1}, rules: map[string]*carried{}}
	now := time.Now()
	carries := func(after time.Duration, arns ...string) []string {
		var there []rule
		for _, arn := range arns {
			there = append(there, rule{arn: arn, priority: map[string]int{"new": 1, "baseline": 2}[arn]})
		}
		var out []string
		for _, r := range c.carry(there, now.Add(after)) {
			out = append(out, r.arn)
		}
		return out
	}
	for _, moment := range []struct {
		name        string
		after       time.Duration
		there, want []string
	}{
		{"the baseline's carries from the start", 0, []string{"baseline"}, []string{"baseline"}},
		{"a new one does not yet", time.Second, []string{"new", "baseline"}, []string{"baseline"}},
		{"then it does", time.Second + manner.RuleLast, []string{"new", "baseline"}, []string{"new", "baseline"}},
		{"a deleted one still does", 30 * time.Second, []string{"baseline"}, []string{"new", "baseline"}},
		{"then it does not", 30*time.Second + manner.RuleLast, []string{"baseline"}, []string{"baseline"}},
	} {
		if diff := cmp.Diff(moment.want, carries(moment.after, moment.there...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", moment.name, diff)
		}
	}
}
