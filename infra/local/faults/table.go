package faults

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"previewenv/infra/local/edge"
)

// Bad tells whether anything was left behind, wrongly told, changed, or given up for
// a fault that passes.
func (r *Report) Bad() bool {
	return r.Baseline != "" || len(r.Secrets) > 0 || len(r.Violations) > 0 || slices.ContainsFunc(r.Results, func(one Result) bool {
		return one.Verdict == LeftBehind || one.Verdict == Lied || one.needless()
	})
}

// needless tells that a provision ended for a fault that passes by itself. Only one
// that is denied what it needs, or that nobody goes on with, may.
func (r *Result) needless() bool {
	lasting := []edge.Kind{edge.AccessDenied, stopped, eventLost}
	return r.Verdict == GaveUp && !slices.Contains(lasting, r.Kind) &&
		(strings.HasPrefix(r.Reason, "Failed") || strings.HasPrefix(r.Reason, "Degraded"))
}

// Print writes the table by kind of fault, then every row that needed help or went
// wrong.
func (r *Report) Print(w io.Writer) {
	columns := []Verdict{Converged, GaveUp, Swept, LeftBehind, Lied}
	fmt.Fprintf(w, "\n%-22s %6s %10s %8s %6s %12s %13s %12s %12s\n", "fault", "tried", "converged", "gave up", "swept", "left behind", "wrongly told", "asked again", "not reached")
	total := map[Verdict]int{}
	var tried, asked int
	for _, kind := range Kinds {
		count, repeated := map[Verdict]int{}, 0
		for _, one := range r.Results {
			if one.Kind == kind {
				count[one.Verdict]++
				if one.Asked > 0 && one.Verdict != NotReached {
					repeated++
				}
			}
		}
		if len(count) > 0 {
			tried, asked = tried+line(w, string(kind), columns, count, repeated), asked+repeated
		}
		for verdict, n := range count {
			total[verdict] += n
		}
	}
	line(w, "all", columns, total, asked)
	changed := 0
	if r.Baseline != "" {
		changed = 1
	}
	fmt.Fprintf(w, "baseline changed: %d, logs that hold a secret: %d, calls that AWS's models do not allow: %d\n", changed, len(r.Secrets), len(r.Violations))
	fmt.Fprintf(w, "%d faults in %s\n", tried, r.Took.Round(time.Second))
	r.explain(w)
}

func line(w io.Writer, name string, columns []Verdict, count map[Verdict]int, asked int) (tried int) {
	for _, verdict := range columns {
		tried += count[verdict]
	}
	fmt.Fprintf(w, "%-22s %6d %10d %8d %6d %12d %13d %12d %12d\n", name, tried,
		count[Converged], count[GaveUp], count[Swept], count[LeftBehind], count[Lied], asked, count[NotReached])
	return tried
}

// explain names the rows that did not converge without help.
func (r *Report) explain(w io.Writer) {
	for _, verdict := range []Verdict{Lied, LeftBehind, Swept, GaveUp, NotReached} {
		head := false
		for _, one := range r.Results {
			if one.Verdict != verdict {
				continue
			}
			if !head {
				fmt.Fprintf(w, "\n%s:\n", verdict)
				head = true
			}
			fmt.Fprintf(w, "  %s\n", one.Name)
			if verdict == NotReached {
				continue
			}
			fmt.Fprintf(w, "      %s\n      %s\n", one.Reason, strings.Join(one.Notes, "; "))
		}
	}
	for _, v := range r.Violations {
		fmt.Fprintln(w, v.Environment, v)
	}
	for _, found := range r.Secrets {
		fmt.Fprintln(w, found)
	}
	if r.Baseline != "" {
		fmt.Fprintf(w, "\nbaseline (-before +after):\n%s\n", r.Baseline)
	}
}

// PrintTrace writes every call that was made for a row.
func (r *Result) PrintTrace(w io.Writer) {
	if len(r.Trace) == 0 {
		return
	}
	start := r.Trace[0].Start
	for _, c := range r.Trace {
		answer := fmt.Sprint(c.Status)
		if c.Status == 0 {
			answer = "-"
		}
		mark := ""
		if c.Fault != "" && c.Fault != edge.Untouched {
			mark = "   <== " + string(c.Fault)
		}
		fmt.Fprintf(w, "%7.2fs %5dms %4s  %-32s %s.%s #%d%s\n", c.Start.Sub(start).Seconds(), c.Duration.Milliseconds(), answer,
			strings.TrimSpace(c.Caller+" "+c.Step), c.Service, c.Operation, c.N, mark)
	}
}
