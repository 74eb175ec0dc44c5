package smoke

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report is what a life was like.
type Report struct {
	Options      Options
	Began, Ended time.Time
	Acts         []*Act
	Answers      []Answer
	Measures     []Measure
	Receipt      string // of the removal; empty when there was none
}

// Wrong are the answers that should not have been given.
func (r *Report) Wrong() []Answer {
	return slices.DeleteFunc(slices.Clone(r.Answers), func(a Answer) bool { return a.Wrong == "" })
}

// shown is how many wrong answers a report lists.
const shown = 20

// Markdown writes the report as it may be pasted into an issue; it holds no secret.
func (r *Report) Markdown(w io.Writer, failed error) {
	wrong := r.Wrong()
	verdict := "good"
	if failed != nil || len(wrong) > 0 || r.Receipt == "" {
		verdict = "bad"
	}
	fmt.Fprintf(w, "# Smoke: %s\n\n", verdict)
	fmt.Fprintf(w, "%s, %s, %s. Environment `%s`, commit `%s`", r.Began.UTC().Format("2006-01-02 15:04 UTC"), r.Options.Config.Region,
		r.Ended.Sub(r.Began).Round(time.Second), r.Options.Label, r.Options.Commit)
	if r.Options.Update != "" {
		fmt.Fprintf(w, ", then `%s`", r.Options.Update)
	}
	way := "executions of the state machine"
	if r.Options.Door != "" {
		way = "Slack's door"
	}
	fmt.Fprintf(w, ", by %s.\n\n", way)
	if failed != nil {
		fmt.Fprintf(w, "**Not played to its end:** %s\n\n", strings.ReplaceAll(failed.Error(), "\n", "; "))
	}
	receipt := r.Receipt
	if receipt == "" {
		receipt = "none"
	}
	fmt.Fprintf(w, "Receipt: %s\n\nAnswers: %d, wrong: %d\n\n", receipt, len(r.Answers), len(wrong))
	r.phases(w)
	r.wrong(w, wrong)
	fmt.Fprint(w, "## Measured\n\n| act | what | took | |\n| --- | --- | --- | --- |\n")
	for _, m := range r.Measures {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", m.Act, m.What, m.Took, m.Note)
	}
}

// phases counts the answers of each service in each phase.
func (r *Report) phases(w io.Writer) {
	fmt.Fprint(w, "| phase | service | answers | wrong | late | slowest |\n| --- | --- | --- | --- | --- | --- |\n")
	var names []string
	for _, a := range r.Answers {
		if !slices.Contains(names, a.Phase) {
			names = append(names, a.Phase)
		}
	}
	for _, name := range names {
		for _, service := range r.services() {
			kinds, wrong, late, slowest := map[Kind]int{}, 0, 0, time.Duration(0)
			for _, a := range r.Answers {
				if a.Phase != name || a.Service != service {
					continue
				}
				kinds[a.Kind]++
				slowest = max(slowest, a.Took)
				if a.Wrong != "" {
					wrong++
				}
				if a.Late {
					late++
				}
			}
			if len(kinds) > 0 {
				fmt.Fprintf(w, "| %s | %s | %s | %d | %d | %s |\n", name, service, counted(kinds), wrong, late, slowest.Round(time.Millisecond))
			}
		}
	}
	fmt.Fprintf(w, "\nown: by the environment's service; lied: marked as one commit and of another, which an update may be until all of it is published; page: the one of a host that is not live; broken: status 500 or above, or no answer; unmarked: by nobody who says who he is. Late: within %s of a change, from an edge that was not told yet.\n\n", r.Options.Spread)
}

func (r *Report) wrong(w io.Writer, wrong []Answer) {
	if len(wrong) == 0 {
		return
	}
	fmt.Fprint(w, "## Wrong answers\n\n| after | phase | service | status | commit | why |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, a := range wrong[:min(len(wrong), shown)] {
		fmt.Fprintf(w, "| %s | %s | %s | %d | %s | %s |\n", a.At.Sub(r.Began).Round(10*time.Millisecond), a.Phase, a.Service, a.Status, strings.TrimSuffix(a.Commit+", is of "+a.Says, ", is of "), a.Wrong)
	}
	if more := len(wrong) - shown; more > 0 {
		fmt.Fprintf(w, "\nand %d more\n", more)
	}
	fmt.Fprintln(w)
}
