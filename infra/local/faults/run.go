package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/stack"
)

// Report is what a run found.
type Report struct {
	Results []Result
	// Baseline says how the baseline changed; empty if it did not.
	Baseline string
	Sweep    string   // the reaper's own report
	Secrets  []string // that a log holds
	// Violations are the calls that AWS's models do not allow.
	Violations []stack.Violation
	Took       time.Duration
}

// calls plays lives without a fault and returns the calls to be tried: of whole
// lives, of functions that start cold, and of a life with a build. life is how long
// a whole one takes alone.
func (w *World) calls(ctx context.Context) (all []recorded, life time.Duration, err error) {
	w.Restart()
	first, err := w.recordOf(ctx, whole, "cold1")
	if err != nil {
		return nil, 0, err
	}
	start := time.Now()
	warm, err := w.recordOf(ctx, whole, "warm1", "warm2", "warm3")
	if err != nil {
		return nil, 0, err
	}
	life = time.Since(start) / 3
	building, err := w.recordOf(ctx, built, "build1", "build2")
	if err != nil {
		return nil, 0, err
	}
	// The first life of all built what the others reuse.
	cold := without(first, slices.Concat(warm, building))
	for i := range cold {
		cold[i].cold = true
	}
	return slices.Concat(warm, cold, without(building, warm)), life, nil
}

// recordOf plays a script without a fault, under each label, and returns the calls
// that all of the lives made.
func (w *World) recordOf(ctx context.Context, play script, labels ...string) ([]recorded, error) {
	var traces [][]edge.Call
	for _, label := range labels {
		l := w.newLife(label)
		if err := play(ctx, l); err != nil {
			return nil, err
		}
		why, err := l.unclean(ctx)
		if err != nil {
			return nil, err
		}
		if why != "" || len(l.lies) > 0 || l.asked > 0 {
			return nil, fmt.Errorf("the life %s does not end well without any fault: %s %v %v", label, why, l.lies, l.notes)
		}
		traces = append(traces, w.taken(label))
		w.Edge.Forget(label)
	}
	return common(play, traces...), nil
}

// Run plays rows, some side by side, then sweeps once and judges.
func (w *World) Run(ctx context.Context, all []Row, atOnce int, done func(Result)) (*Report, error) {
	start := time.Now()
	before, err := w.baseline(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	_, mark := w.Violations(0)
	crowd := slices.IndexFunc(all, func(r Row) bool { return r.alone })
	if crowd < 0 {
		crowd = len(all)
	}
	w.playAll(ctx, report, all[:crowd], atOnce, done)
	w.playAll(ctx, report, all[crowd:], 1, done)
	if err := ctx.Err(); err != nil {
		return report, err
	}
	if report.Sweep, err = w.sweep(ctx); err != nil {
		return report, err
	}
	w.judge(ctx, report)
	if report.Secrets, err = w.SecretsInLogs(); err != nil {
		return report, err
	}
	report.Violations, _ = w.Violations(mark)
	after, err := w.baseline(ctx)
	report.Baseline = cmp.Diff(before, after)
	report.Took = time.Since(start)
	return report, err
}

func (w *World) playAll(ctx context.Context, report *Report, rows []Row, atOnce int, done func(Result)) {
	queue := make(chan Row)
	var group sync.WaitGroup
	var mu sync.Mutex
	for range atOnce {
		group.Go(func() {
			for row := range queue {
				r, err := w.play(ctx, row)
				if err != nil {
					// One that cannot be played loses nothing of the others.
					r = Result{Row: row, Verdict: LeftBehind, Reason: "it cannot be played: " + err.Error()}
				}
				mu.Lock()
				report.Results = append(report.Results, r)
				done(r)
				mu.Unlock()
			}
		})
	}
	for _, row := range rows {
		queue <- row
	}
	close(queue)
	group.Wait()
}

// sweep invokes the reaper, as its schedule does.
func (w *World) sweep(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Info.AWS+"/2015-03-31/functions/reap/invocations", strings.NewReader(`{"dryRun":false}`))
	if err != nil {
		return "", fmt.Errorf("invoke reap: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("invoke reap: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("invoke reap: %w", err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Amz-Function-Error") != "" {
		return "", fmt.Errorf("invoke reap: status %d: %s", resp.StatusCode, body)
	}
	return string(body), nil
}

// judge looks at every life once more, now that all is quiet.
func (w *World) judge(ctx context.Context, report *Report) {
	for i := range report.Results {
		r := &report.Results[i]
		if r.life == nil {
			continue
		}
		if err := w.judgeOne(ctx, r); err != nil {
			r.Verdict, r.Reason = LeftBehind, "it cannot be judged: "+err.Error()
		}
		r.Trace = w.taken(r.Label)
		w.Edge.Forget(r.Label)
	}
	slices.SortFunc(report.Results, func(a, b Result) int { return strings.Compare(a.Name, b.Name) })
}

func (w *World) judgeOne(ctx context.Context, r *Result) error {
	helped := r.Verdict == LeftBehind
	why, err := r.life.unclean(ctx)
	if err != nil {
		return err
	}
	misled, err := r.life.misled(ctx)
	if err != nil {
		return err
	}
	lies := r.life.lies
	if misled != "" {
		lies = append(lies, misled)
	}
	switch {
	case len(lies) > 0:
		r.Verdict, r.Reason = Lied, strings.Join(lies, "; ")
	case why != "":
		r.Verdict, r.Reason = LeftBehind, why
	case helped:
		r.Verdict = Swept
	case r.Verdict == Converged && r.life.unready != "":
		r.Verdict, r.Reason = GaveUp, r.life.unready
	}
	return nil
}
