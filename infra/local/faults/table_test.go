package faults

import (
	"strings"
	"testing"
	"time"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/stack"
)

func result(name string, kind edge.Kind, v Verdict) Result {
	return Result{Row: Row{Name: name, Kind: kind}, Verdict: v, Reason: "why " + name}
}

func TestTheTableCountsByKindAndNamesWhatWentWrong(t *testing.T) {
	r := Report{Took: 90 * time.Second, Results: []Result{
		result("a", edge.Throttled, Converged), result("b", edge.Throttled, Swept),
		result("c", edge.AnswerLost, Lied), result("e", edge.AnswerLost, GaveUp), result("d", edge.AnswerLost, NotReached),
	}}
	var b strings.Builder
	r.Print(&b)
	got := map[string][]string{}
	for line := range strings.Lines(b.String()) {
		for _, kind := range []string{"throttled", "answer lost", "all "} {
			if rest, ok := strings.CutPrefix(line, kind); ok {
				got[strings.TrimSpace(kind)] = strings.Fields(rest)
			}
		}
	}
	// tried, converged, gave up, swept, left behind, wrongly told, asked again, not reached
	for kind, want := range map[string]string{"throttled": "2 1 0 1 0 0 0 0", "answer lost": "2 0 1 0 0 1 0 1", "all": "4 1 1 1 0 1 0 1"} {
		if line := strings.Join(got[kind], " "); line != want {
			t.Errorf("%s: %s, want %s", kind, line, want)
		}
	}
	for _, words := range []string{"why b", "why c", "baseline changed: 0, logs that hold a secret: 0", "4 faults in 1m30s"} {
		if !strings.Contains(b.String(), words) {
			t.Errorf("the table lacks %q:\n%s", words, b.String())
		}
	}
}

func TestWhatIsBad(t *testing.T) {
	for v, want := range map[Verdict]bool{Converged: false, Swept: false, GaveUp: false, NotReached: false, LeftBehind: true, Lied: true} {
		if got := (&Report{Results: []Result{result("a", edge.Throttled, v)}}).Bad(); got != want {
			t.Errorf("%s: Bad = %v", v, got)
		}
	}
	for kind, want := range map[edge.Kind]bool{edge.Throttled: true, edge.AnswerLost: true, edge.AccessDenied: false, stopped: false, eventLost: false} {
		one := result("a", kind, GaveUp)
		one.Reason = "Failed Internal"
		if got := (&Report{Results: []Result{one}}).Bad(); got != want {
			t.Errorf("a provision that failed for %s: Bad = %v", kind, got)
		}
	}
	if !(&Report{Baseline: "-rule 1"}).Bad() {
		t.Error("a changed baseline is not bad")
	}
	if !(&Report{Violations: []stack.Violation{{Caller: "rule"}}}).Bad() {
		t.Error("a call that AWS would refuse is not bad")
	}
	if !(&Report{Secrets: []string{"slack.log holds a task token"}}).Bad() {
		t.Error("a secret in a log is not bad")
	}
}
