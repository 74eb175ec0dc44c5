package life

import (
	"strings"
	"testing"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/faults"
)

// TestEachChangeSurvivesItsLostAnswerOrItsKill is the part of make faults that there is
// time for here: a life without an update and without a build, once for each call that
// changes something: in turn the answer is lost, or the caller killed.
func TestEachChangeSurvivesItsLostAnswerOrItsKill(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes")
	}
	rows, err := endpoint.Brief(t.Context(), 1, edge.AnswerLost, edge.KilledUntold)
	if err != nil {
		t.Fatal(err)
	}
	const atOnce = 8
	report, err := endpoint.Run(t.Context(), rows, atOnce, func(faults.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	report.Print(&table)
	t.Log(table.String())
	if report.Bad() {
		t.Error("something was left behind, wrongly told, changed or needlessly given up")
		for _, r := range report.Results {
			tidy(t, r.Label)
		}
	}
}
