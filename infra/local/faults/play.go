package faults

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"previewenv/infra/local/edge"
	"previewenv/statemachine"
)

// Verdict is what became of a life.
type Verdict string

// The verdicts, from good to bad.
const (
	Converged  Verdict = "converged"        // without help
	GaveUp     Verdict = "gave up"          // a provision did not get ready, said so, and left nothing
	Swept      Verdict = "after one sweep"  // of the reaper
	LeftBehind Verdict = "left behind"      // there is something of it after the sweep
	Lied       Verdict = "wrongly told"     // Ready without an answer, Gone with a resource
	Changed    Verdict = "baseline changed" // of all lives at once
	NotReached Verdict = "not reached"      // the life made no such call this time; nothing was tried
)

// Result is a row that was played.
type Result struct {
	Row
	Verdict Verdict
	Asked   int // commands that had to be typed again
	Reason  string
	Notes   []string
	Trace   []edge.Call
	Took    time.Duration

	life *life
}

// times is how often the fault of a row is done to a call and those that follow it.
// The functions' SDK tries five times, so that six throttled calls are seen by the
// state machine, which has no SDK before its own calls.
func times(row Row) int {
	switch row.Kind {
	case edge.Throttled:
		if row.Like.Caller == edge.StepFunctions {
			return 2
		}
		return 6
	case edge.AccessDenied:
		return edge.Until
	case edge.StaleRead:
		return 2
	}
	return 1
}

// play plays one row. What is left at its end is judged by the sweep.
func (w *World) play(ctx context.Context, row Row) (Result, error) {
	start := time.Now()
	if row.alone {
		w.Restart()
	}
	l := w.newLife(row.Label)
	happened := w.arm(ctx, l, row)
	if row.Kind == edge.AccessDenied {
		l.patience = 15 * time.Second
	}
	err := row.script(ctx, l)
	fired := happened()
	if err == nil && row.Kind == edge.AccessDenied {
		err = l.again(ctx)
	}
	r := Result{Row: row, Asked: l.asked, life: l, Verdict: Converged}
	if err == nil {
		r.Reason, err = l.unclean(ctx)
	}
	if r.Reason != "" {
		r.Verdict = LeftBehind // unless the sweep helps
	}
	if !fired {
		r.Verdict = NotReached
	}
	r.Notes, r.Took = l.notes, time.Since(start)
	return r, err
}

// arm makes ready what the row does to the life; the returned func ends it, and
// tells whether it happened.
func (w *World) arm(ctx context.Context, l *life, row Row) (happened func() bool) {
	switch row.Kind {
	case outage:
		end := w.SilenceSlack(l.channel)
		time.AfterFunc(5*time.Second, end)
		return func() bool { return true }
	case eventLost, eventDouble:
		l.build = func(commit string) { w.TellBuilds(commit, map[edge.Kind]int{eventDouble: 2}[row.Kind]) }
		l.patience = 20 * time.Second
		return func() bool { return true }
	}
	f := edge.Fault{Environment: row.Label, Like: row.Like, Nth: row.N, Times: times(row), Kind: row.Kind}
	if row.Kind == stopped {
		// Nobody goes on with it, so that nobody need be waited for long.
		f.Kind, l.patience = edge.Untouched, 12*time.Second
		f.Then = func(edge.Call) { w.stop(ctx, row.Label) }
	}
	injected := w.Edge.Inject(f)
	var once sync.Once
	fired := false
	return func() bool {
		once.Do(func() { injected.Lift(); fired = injected.Fired() > 0 })
		return fired
	}
}

// stop stops the executions that may work for an environment now.
func (w *World) stop(ctx context.Context, label string) {
	r, err := w.record(ctx, label)
	if err != nil {
		return
	}
	machine := strings.Replace(w.Seeded.StateMachine, ":stateMachine:", ":execution:", 1)
	for _, arn := range []string{r.Execution, machine + ":" + statemachine.ExecutionName(label, r.Incarnation, r.Revision)} {
		if !strings.HasPrefix(arn, "arn:") {
			continue
		}
		// One of them need not exist.
		_, _ = w.states.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: &arn, Error: aws.String("Stopped"), Cause: aws.String("by hand")})
	}
}

// again gives a life whose fault was lifted the chance to end by itself.
func (l *life) again(ctx context.Context) error {
	r, err := l.record(ctx, l.label)
	if err != nil || r.State == "" || r.closed() {
		return err
	}
	l.note("the access is given back")
	l.patience = patience
	if r.State != "CleaningUp" && r.State != "LeftBehind" {
		return l.cleanUp(ctx)
	}
	_, err = l.settle(ctx, func(r record) bool { return r.closed() || r.State == "LeftBehind" })
	return err
}

// unclean says why a life is not over, or nothing.
func (l *life) unclean(ctx context.Context) (string, error) {
	r, err := l.record(ctx, l.label)
	if err != nil {
		return "", err
	}
	left, err := l.Remains(ctx, l.label)
	if err != nil {
		return "", err
	}
	switch {
	case len(left) > 0:
		return fmt.Sprintf("the record says %s; there is %s", r.State, some(left)), nil
	case r.State != "" && !r.closed():
		return "nothing is there, but the record says " + r.State, nil
	}
	return "", nil
}

// some are the first of many names.
func some(names []string) string {
	const enough = 5
	if len(names) > enough {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:enough], ", "), len(names)-enough)
	}
	return strings.Join(names, ", ")
}

// misled says what the last status message says against the record, or nothing.
func (l *life) misled(ctx context.Context) (string, error) {
	for deadline := time.Now().Add(10 * time.Second); ; {
		r, err := l.record(ctx, l.label)
		if err != nil {
			return "", err
		}
		said := l.said(l.label, l.channel)
		if said == r.State {
			return "", nil
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("the message says %q, the record %q", said, r.State), nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return "", err
		}
	}
}
