package step

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/record"
)

func fixed(settings *catalog.Settings) func(context.Context) (*catalog.Settings, error) {
	return func(context.Context) (*catalog.Settings, error) { return settings, nil }
}

// leaks are queues of ours without a row, so many of each label.
func (a *account) leaks(labels map[string]int) {
	a.Helper()
	for label, n := range labels {
		for i := range n {
			name := fmt.Sprintf("pv-%s-%d", label, i)
			_, err := a.sqs.CreateQueue(a.Context(), &sqs.CreateQueueInput{
				QueueName: &name, Tags: map[string]string{"ManagedBy": "pv", "Environment": label},
			})
			a.must(err)
		}
	}
}

func (a *account) queues() []string {
	a.Helper()
	out, err := a.sqs.ListQueues(a.Context(), &sqs.ListQueuesInput{})
	a.must(err)
	return out.QueueUrls
}

func TestASweepHoldsStillBeforeAStormOfLeaks(t *testing.T) {
	for rule, c := range map[string]struct {
		leaks   map[string]int
		records []string // labels that have a closed record
		in      ReapInput
		removed int
	}{
		"the leaks of one unknown environment go":              {map[string]int{"pr1": 3}, nil, ReapInput{}, 3},
		"those of two are a table that was replaced":           {map[string]int{"pr1": 1, "pr2": 1}, nil, ReapInput{}, 0},
		"those of two closed ones go":                          {map[string]int{"pr1": 1, "pr2": 1}, []string{"pr1", "pr2"}, ReapInput{}, 2},
		"more than the limit stay, whosever they are":          {map[string]int{"pr1": 6}, []string{"pr1"}, ReapInput{}, 0},
		"a person may let them go":                             {map[string]int{"pr1": 4, "pr2": 4}, nil, ReapInput{MaxRemovals: 8}, 8},
		"a person lets go as many as were seen, and no more":   {map[string]int{"pr1": 4, "pr2": 4}, nil, ReapInput{MaxRemovals: 7}, 0},
		"a dry run reports what it would do, and does nothing": {map[string]int{"pr1": 3}, nil, ReapInput{DryRun: true}, 0},
	} {
		t.Run(rule, func(t *testing.T) {
			a := newAccount(t)
			r := a.reaper("pv")
			settings, err := r.Settings(t.Context())
			a.must(err)
			settings.Reaper.MaxRemovals = 5
			r.Settings = fixed(settings)
			for _, label := range c.records {
				_, err := r.Records.Change(t.Context(), label, func(env *record.Environment) error {
					r.Records.Close(env, record.Gone)
					return nil
				})
				a.must(err)
			}
			a.leaks(c.leaks)
			before := a.queues()
			out, err := r.Run(t.Context(), c.in)
			a.must(err)
			if after := a.queues(); len(before)-len(after) != c.removed {
				t.Errorf("%d were removed, want %d: %+v", len(before)-len(after), c.removed, out)
			}
			if held := c.removed == 0 && !c.in.DryRun; held != (len(out.Held) > 0) || held != (len(out.Problems) > 0) {
				t.Errorf("held %v, problems %v", out.Held, out.Problems)
			}
		})
	}
}

func TestAStormIsToldWithWhatToDo(t *testing.T) {
	a := newAccount(t)
	r := a.reaper("pv")
	a.leaks(map[string]int{"pr1": 2, "pr2": 1})
	out, err := r.Run(t.Context(), ReapInput{})
	a.must(err)
	want := []string{"remove 3 resources without a record: that is more than a sweep removes unasked (20 resources, or those of one unknown environment)" +
		", among them all of pr1, pr2, of which the table knows nothing. Nothing of it was removed. If the table was replaced or restored, put the right one back." +
		` If nobody needs them, invoke the function reap once with {"maxRemovals": 3}`}
	if diff := cmp.Diff(want, out.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestThePauseOfTheCatalogHoldsForEverySweep(t *testing.T) {
	a := newAccount(t)
	r := a.reaper("pv")
	settings, err := r.Settings(t.Context())
	a.must(err)
	settings.Reaper.DryRun = true
	r.Settings = fixed(settings)
	a.leaks(map[string]int{"pr1": 1})
	before := a.queues()
	out, err := r.Run(t.Context(), ReapInput{})
	a.must(err)
	if diff := cmp.Diff(before, a.queues()); diff != "" || !out.DryRun || len(out.Removed) != 1 {
		t.Errorf("a paused sweep reports %+v and changed:\n%s", out, diff)
	}
}
