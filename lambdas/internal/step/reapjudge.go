package step

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// reaper stands in a record in the place of an execution.
const reaper = "reaper"

// work is what an execution does for an environment.
type work string

// The states of work that are no status of Step Functions.
const (
	running work = "RUNNING"
	never   work = "" // no execution of it is known
)

// verdict is what becomes of an environment.
type verdict int

const (
	leave  verdict = iota // it is as it should be, or somebody works on it
	end                   // it is removed
	goBack                // an update died: the last good revision is provisioned again
)

// judgeLife says what becomes of an environment whose execution is in a given state.
// An execution that ended cannot do anything any more; one that runs, or that may
// not have begun yet, gets grace.
func judgeLife(env record.Environment, w work, now time.Time, grace time.Duration) (verdict, string) {
	patient := now.Sub(time.Unix(env.StateSince, 0)) < grace
	dead := w != running && (w != never || !patient)
	ended := "its execution " + inWords(w)
	switch {
	case env.State == record.LeftBehind:
		return end, "a removal had left something behind"
	case env.State == record.CleaningUp && (dead || env.TaskToken != "" && !patient):
		return end, "its removal stopped half-way: " + ended
	case !env.State.Live():
		return leave, ""
	case !now.Before(env.ExpiresAt) && (dead || now.Sub(env.ExpiresAt) > grace):
		return end, "its time was up, and nobody had ended it: " + ended
	case !dead || env.State == record.Ready || env.State == record.Degraded:
		return leave, ""
	case env.Good == nil:
		return end, "it was never ready: " + ended
	}
	return goBack, "its update stopped half-way: " + ended
}

func inWords(w work) string {
	switch w {
	case running:
		return "still runs"
	case never:
		return "never began"
	}
	return "ended as " + string(w)
}

// judge looks at every environment and takes over those that nobody will end.
func (s *sweep) judge(ctx context.Context) {
	s.idle = map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.lives)) {
		life := s.lives[name]
		env := life.Environment
		if env.Name == "" || env.State == record.Gone || env.State == record.Failed {
			continue
		}
		w, err := s.work(ctx, env)
		if err != nil {
			s.problem(ctx, "look at the execution of "+name, err)
			continue
		}
		v, why := judgeLife(env, w, s.Now(), s.Grace)
		s.idle[name] = env.State.Live() && v == leave && (w != running && w != never || env.TaskToken != "")
		if v == leave {
			continue
		}
		if !s.dry {
			if env, err = s.takeOver(ctx, env, w, v, why); errors.Is(err, record.ErrUnchanged) {
				continue // it changed meanwhile; the next sweep looks again
			} else if err != nil {
				s.problem(ctx, "take over "+name, err)
				continue
			}
		} else if v == end {
			env.State, env.Execution, env.Reason = record.CleaningUp, reaper, why
		}
		life.Environment = env
		s.lives[name] = life
		s.out.Ended = append(s.out.Ended, Reaped{Environment: name, Why: why})
		s.Log.WarnContext(ctx, "environment taken over", "env", name, "revision", env.Revision, "why", why, "dryRun", s.dry)
	}
}

// takeOver writes the verdict, if it still is the same for what the record says now:
// an extension or a newer request that came meanwhile is honoured.
func (s *sweep) takeOver(ctx context.Context, judged record.Environment, w work, v verdict, why string) (record.Environment, error) {
	changed := true
	env, err := s.Records.Change(ctx, judged.Name, func(env *record.Environment) error {
		now, _ := judgeLife(*env, w, s.Now(), s.Grace)
		if now != v || env.Revision != judged.Revision || env.Execution != judged.Execution {
			changed = false
			return record.ErrUnchanged
		}
		if v == goBack {
			returnToGood(env, stopped(env, why))
			return nil
		}
		if env.Good == nil && env.Fault == nil && env.State.Live() && env.State != record.Ready {
			env.Fault = stopped(env, why)
		}
		if err := record.ClaimRemoval(env, reaper, why); err != nil && !errors.Is(err, record.ErrUnchanged) {
			return err
		}
		return nil
	})
	if err != nil {
		return env, err
	}
	if !changed {
		return env, record.ErrUnchanged
	}
	if v == goBack {
		return env, startWanted(ctx, s.SFN, s.Records, s.Machine, env)
	}
	return env, nil
}

func stopped(env *record.Environment, why string) *fault.Fault {
	f := fault.New(statemachine.ErrInternal, "Commit %.12s of %s did not get ready: %s.", env.Wanted.Commit, env.Name, why)
	return f.WithNext("/provisionenv starts it again.")
}

// returnToGood is what Recover does when a revision failed.
func returnToGood(env *record.Environment, f *fault.Fault) {
	if env.Fault == nil {
		env.Fault = f
	}
	env.Wanted, env.Commit = *env.Good, env.Good.Commit
	env.State, env.Reverting, env.TaskToken, env.Execution = record.Requested, true, "", ""
	env.Revision++
}

// work asks Step Functions what the execution of an environment does. The record
// names it once it has begun; before that it has the name that the door gave it.
func (s *sweep) work(ctx context.Context, env record.Environment) (work, error) {
	w := never
	var arns []string
	if strings.HasPrefix(env.Execution, "arn:") {
		arns = append(arns, env.Execution)
	}
	if env.Execution == reaper {
		w = work("a sweep that was cut off")
	}
	arns = append(arns, strings.Replace(s.Machine, ":stateMachine:", ":execution:", 1)+":"+
		statemachine.ExecutionName(env.Name, env.Incarnation, env.Revision))
	for _, arn := range arns {
		out, err := s.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: aws.String(arn)})
		var missing *types.ExecutionDoesNotExist
		switch {
		case errors.As(err, &missing):
		case err != nil:
			return never, fmt.Errorf("describe execution: %w", err)
		case out.Status == types.ExecutionStatusRunning:
			return running, nil
		case w == never && !s.isEarlier(arn, env):
			w = work(out.Status)
		}
	}
	return w, nil
}

// isEarlier tells that an execution is of the revision before: the door has asked
// for another, whose own may be about to begin.
func (s *sweep) isEarlier(arn string, env record.Environment) bool {
	return env.State == record.Requested && arn == env.Execution
}

// goes says why a row of the ledger is removed, or nothing. What is still read is
// not removed for being of an older revision.
func (s *sweep) goes(env record.Environment, row record.Resource, reading bool) string {
	switch {
	case env.Name == "":
		return "the record of its environment was deleted"
	case env.State == record.CleaningUp && env.Execution == reaper:
		return env.Reason
	case env.State == record.Gone || env.State == record.Failed:
		return "its environment was closed before it was seen to be gone"
	case env.State.Live() && row.Revision < env.Revision && s.idle[env.Name] && !reading:
		return "the newest revision does not want it"
	}
	return ""
}
