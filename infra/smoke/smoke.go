// Package smoke plays one life of an environment on an account, as its users would,
// and judges every answer that the environment's URL gives meanwhile: provision, an
// update to a second commit, clean-up, receipt. It measures what no emulator tells:
// how long routes and rules take to show, and tasks to start. It knows the state
// machine, the door and the URL; it knows nothing of how the suite works inside.
package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Options say where the suite runs, and what is played on it.
type Options struct {
	Config       aws.Config
	StateMachine string // ARN
	Cluster      string // of the baseline; empty leaves the tasks' times out
	URL          string // of an environment, with {label} in it
	Client       *http.Client
	// Door is the URL of Slack's commands and Sign signs for it; without them
	// executions are started instead. Channel is where the status message appears.
	Door, Channel string
	Sign          func(timestamp string, body []byte) string

	Label    string
	Commit   string
	Update   string            // a second commit; empty plays no update
	Services map[string]string // each with the path that is asked for
	Every    time.Duration     // between two requests for a path
	Poll     time.Duration     // between two looks at the executions
	Patience time.Duration     // for a provision, an update, a clean-up
	Settle   time.Duration     // to go on asking after each of them
	Spread   time.Duration     // how long an edge may not know of a change
	Tell     func(format string, args ...any)
}

// run is one life.
type run struct {
	Options
	sfn    *sfn.Client
	asker  *asker
	report *Report
	known  map[string]bool // executions of the label that were there before an act
}

// Run plays the life and reports it. The error says why it could not be played to its
// end; what is wrong with the answers stands in the report. Whatever was made is
// cleaned up, even if ctx ends.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &run{Options: o, sfn: sfn.NewFromConfig(o.Config), report: &Report{Options: o, Began: time.Now()}}
	if r.Tell == nil {
		r.Tell = func(string, ...any) {}
	}
	r.asker = newAsker(o)
	stop := r.asker.start(ctx)
	err := r.play(ctx)
	stop()
	r.report.Ended = time.Now()
	r.report.Answers = r.asker.answers
	r.report.measure()
	return r.report, err
}

func (r *run) play(ctx context.Context) error {
	if err := r.provision(ctx, "provision", r.Commit); err != nil {
		return errors.Join(err, r.after(ctx))
	}
	if r.Update != "" {
		if err := r.provision(ctx, "update", r.Update); err != nil {
			return errors.Join(err, r.after(ctx))
		}
	}
	return r.cleanUp(ctx)
}

// after cleans up what a life that failed has left, whatever became of ctx.
func (r *run) after(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Patience)
	defer cancel()
	r.asker.enter(phase{name: "failed", any: true})
	return r.cleanUp(ctx)
}

// provision asks for a commit, and waits until the suite says that it is ready.
func (r *run) provision(ctx context.Context, act, commit string) error {
	before := r.asker.now()
	first := len(before.commits) == 0
	r.asker.enter(phase{name: act, commits: append(before.commits, commit), pages: first, early: first, rolling: !first})
	r.Tell("%s: %s at %s is asked for", act, r.Label, commit)
	a := &Act{Name: act, Commit: commit, Asked: time.Now()}
	r.report.Acts = append(r.report.Acts, a)
	arn, err := r.start(ctx, act, commit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	for {
		a.States, err = r.history(ctx, arn)
		if err != nil {
			return err
		}
		if ready, ok := a.exited("AwaitReady"); ok {
			a.Done = ready
			r.asker.enter(phase{name: act + " ready", commits: []string{commit}, earlier: before.commits, until: time.Now().Add(r.Spread)})
			r.Tell("%s: ready after %s", act, a.Done.Sub(a.Asked).Round(time.Second/10))
			r.tasks(ctx, a)
			return r.pause(ctx, r.Settle)
		}
		if end, err := r.ended(ctx, arn); err != nil || end != "" {
			return errors.Join(err, fmt.Errorf("%s: not ready: the execution %s ended: %s", act, arn, end))
		}
		if err := r.pause(ctx, r.Poll); err != nil {
			return fmt.Errorf("%s: not ready after %s: see the execution %s", act, r.Patience, arn)
		}
	}
}

// cleanUp removes the environment, and waits for the receipt.
func (r *run) cleanUp(ctx context.Context) error {
	if now := r.asker.now(); !now.any {
		r.asker.enter(phase{name: "clean-up", commits: now.commits, pages: true, leaving: true})
	}
	r.Tell("clean-up: %s is asked to go", r.Label)
	a := &Act{Name: "clean-up", Asked: time.Now()}
	r.report.Acts = append(r.report.Acts, a)
	started, err := r.remove(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	idle := 0
	for {
		end, err := r.removal(ctx, started)
		if err != nil {
			return err
		}
		if end.gone {
			return r.gone(ctx, a, end)
		}
		// A list may lag behind, so that nothing that runs is the end only after a while.
		if idle++; end.running {
			idle = 0
		}
		if idle > idleLooks {
			return fmt.Errorf("clean-up: no execution of %s runs, and none has a receipt: %s", r.Label, end.text)
		}
		if err := r.pause(ctx, r.Poll); err != nil {
			return fmt.Errorf("clean-up: not gone after %s: see the executions of %s", r.Patience, r.Label)
		}
	}
}

// idleLooks is for how many looks no execution may run before a removal is given up.
const idleLooks = 20

// gone notes the end of a removal, and goes on asking for a while.
func (r *run) gone(ctx context.Context, a *Act, end ending) error {
	a.Done, r.report.Receipt = time.Now(), end.text
	var err error
	if a.States, err = r.history(ctx, end.arn); err != nil {
		return err
	}
	// The execution that held the environment knows its whole life.
	a.States = slices.DeleteFunc(a.States, func(s State) bool { return s.Exited.Before(a.Asked) })
	if !r.asker.now().any {
		r.asker.enter(phase{name: "gone", pages: true, until: time.Now().Add(r.Spread)})
	}
	r.Tell("clean-up: %s", end.text)
	return r.pause(ctx, r.Settle)
}

func (r *run) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
