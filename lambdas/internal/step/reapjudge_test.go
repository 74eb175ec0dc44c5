package step

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
)

func TestTheReaperTakesOverOnlyWhatNobodyWillEnd(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	const grace = 2 * time.Minute
	long, justNow := now.Add(-time.Hour).Unix(), now.Add(-time.Minute).Unix()
	later, past, longPast := now.Add(time.Hour), now.Add(-time.Minute), now.Add(-time.Hour)
	good := &request.Wanted{Commit: "good"}
	for name, c := range map[string]struct {
		env  record.Environment
		work work
		want verdict
	}{
		"one that is held is left":                              {record.Environment{State: record.Ready, StateSince: long, ExpiresAt: later}, running, leave},
		"one whose hold was stopped serves until its time":      {record.Environment{State: record.Ready, StateSince: long, ExpiresAt: later}, "ABORTED", leave},
		"a degraded one serves until its time":                  {record.Environment{State: record.Degraded, StateSince: long, ExpiresAt: later}, "FAILED", leave},
		"an expired one is its execution's for the grace":       {record.Environment{State: record.Ready, StateSince: long, ExpiresAt: past}, running, leave},
		"an expired one is ended after the grace":               {record.Environment{State: record.Ready, StateSince: long, ExpiresAt: longPast}, running, end},
		"an expired one without an execution is ended at once":  {record.Environment{State: record.Ready, StateSince: long, ExpiresAt: past}, "ABORTED", end},
		"one that is being made is left":                        {record.Environment{State: record.Building, StateSince: long, ExpiresAt: later}, running, leave},
		"one that was never ready goes with its execution":      {record.Environment{State: record.Building, StateSince: justNow, ExpiresAt: later}, "TIMED_OUT", end},
		"one whose execution never began is ended":              {record.Environment{State: record.Requested, StateSince: long, ExpiresAt: later}, never, end},
		"one that was just asked for may begin":                 {record.Environment{State: record.Requested, StateSince: justNow, ExpiresAt: later}, never, leave},
		"an update that died goes back":                         {record.Environment{State: record.Provisioning, StateSince: long, ExpiresAt: later, Good: good}, "ABORTED", goBack},
		"an update that died after its time ends":               {record.Environment{State: record.Provisioning, StateSince: long, ExpiresAt: past, Good: good}, "ABORTED", end},
		"a removal that runs is left":                           {record.Environment{State: record.CleaningUp, StateSince: long, ExpiresAt: past}, running, leave},
		"a removal whose execution was never told goes on":      {record.Environment{State: record.CleaningUp, StateSince: long, ExpiresAt: past, TaskToken: "token"}, running, end},
		"a removal whose execution is being told is left":       {record.Environment{State: record.CleaningUp, StateSince: justNow, ExpiresAt: past, TaskToken: "token"}, running, leave},
		"a removal that was stopped goes on":                    {record.Environment{State: record.CleaningUp, StateSince: justNow, ExpiresAt: past}, "ABORTED", end},
		"a removal that was just asked for may begin":           {record.Environment{State: record.CleaningUp, StateSince: justNow, ExpiresAt: past}, never, leave},
		"what a removal left is tried again":                    {record.Environment{State: record.LeftBehind, StateSince: justNow, ExpiresAt: past}, "FAILED", end},
		"a closed one is nobody's work":                         {record.Environment{State: record.Gone, StateSince: long, ExpiresAt: past}, "SUCCEEDED", leave},
		"a provision that failed and was rolled back is closed": {record.Environment{State: record.Failed, StateSince: long, ExpiresAt: past}, "FAILED", leave},
	} {
		t.Run(name, func(t *testing.T) {
			if got, why := judgeLife(c.env, c.work, now, grace); got != c.want || (got == leave) != (why == "") {
				t.Errorf("judged %d because %q, want %d", got, why, c.want)
			}
		})
	}
}

func TestEveryKindIsSwept(t *testing.T) {
	reaper := NewReap(aws.Config{}, config.Reap{})
	for _, k := range reaper.Kinds {
		if k.Sweepable == nil {
			t.Errorf("the reaper does not have the kind %s; add it to NewReap", k.Name)
		}
	}
}

func TestTheReaperLeavesWhatIsStillRead(t *testing.T) {
	s := &sweep{idle: map[string]bool{"pr1": true}}
	env := record.Environment{Name: "pr1", Revision: 2, State: record.Ready}
	row := record.Resource{Kind: "frontend", Name: "a", Revision: 1, State: record.Present}
	for reading, goes := range map[bool]bool{true: false, false: true} {
		if why := s.goes(env, row, reading); (why != "") != goes {
			t.Errorf("read: %v, goes because %q", reading, why)
		}
	}
	env.State, env.Execution, env.Reason = record.CleaningUp, reaper, "its time was up"
	if s.goes(env, row, true) == "" {
		t.Error("the end of an environment leaves a build")
	}
}
