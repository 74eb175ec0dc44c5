package step

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

// extend adds to the deadline, by a write that a removal would have made
// impossible. A confirmed extension therefore holds.
func (d *Door) extend(ctx context.Context, target slack.Target, by time.Duration) (slack.Answer, error) {
	name, err := d.find(ctx, target)
	if err != nil {
		return slack.Answer{}, err
	}
	var until time.Time
	env, err := d.Records.Change(ctx, name, func(env *record.Environment) error {
		if !until.IsZero() && env.ExpiresAt.Equal(until) {
			return record.ErrUnchanged // written before, and the answer was lost
		}
		now := d.Now()
		if err := mayExtend(env, now); err != nil {
			return err
		}
		until = env.ExpiresAt.Add(by)
		if until.After(env.MaxExpiresAt) {
			return tooLong(env)
		}
		env.ExpiresAt = until
		return nil
	})
	if err != nil {
		return slack.Answer{}, err
	}
	d.Log.Info("environment extended", "env", name, "revision", env.Revision, "expiresAt", env.ExpiresAt)
	return slack.Extended(name, env.ExpiresAt, by), nil
}

func mayExtend(env *record.Environment, now time.Time) error {
	switch {
	case env.State == record.CleaningUp:
		return fault.New(statemachine.ErrBadRequest, "%s is being removed; it can no longer be extended.", env.Name).
			WithNext("/provisionenv brings it back once it is gone.").In("environment")
	case env.State == record.LeftBehind:
		return fault.New(statemachine.ErrBadRequest, "%s was removed in part.", env.Name).
			WithNext("Tell the platform team, or try /cleanupenv %s again.", env.Name).In("environment")
	case !env.State.Live():
		return fault.New(statemachine.ErrBadRequest, "%s is gone.", env.Name).
			WithNext("/provisionenv brings it back.").In("environment")
	case !now.Before(env.ExpiresAt):
		return fault.New(statemachine.ErrBadRequest, "The time of %s is up; its removal begins at this moment.", env.Name).
			WithNext("/provisionenv brings it back once it is gone.").In("environment")
	}
	return nil
}

func tooLong(env *record.Environment) error {
	room := env.MaxExpiresAt.Sub(env.ExpiresAt).Truncate(time.Minute)
	f := fault.New(statemachine.ErrBadRequest, "%s may live until %s at the longest, which is %s after it was asked for.",
		env.Name, env.MaxExpiresAt.UTC().Format("2 Jan 15:04 MST"), env.MaxExpiresAt.Sub(env.CreatedAt)).In("ttlMinutes")
	if room < time.Minute {
		return f.WithNext("It lives until then already.")
	}
	return f.WithNext("The most that can be added is %d minutes: /extendenv %s %d", int(room.Minutes()), env.Name, int(room.Minutes()))
}

// cleanUp writes that the environment is no longer wanted, then ends the hold; an
// environment that nobody holds gets an execution of its own for the removal.
func (d *Door) cleanUp(ctx context.Context, target slack.Target, user string) (slack.Answer, error) {
	name, err := d.find(ctx, target)
	if err != nil {
		return slack.Answer{}, err
	}
	env, err := d.Records.Change(ctx, name, func(env *record.Environment) error {
		if env.State == record.CleaningUp {
			return record.ErrUnchanged // asked for before; what may have been lost since is done again
		}
		before := *env
		if err := record.ClaimRemoval(env, "", "@"+user+" asked to"); err != nil {
			return err
		}
		if before.TaskToken != "" {
			// Kept until the record is closed: whoever finds it here knows that the
			// execution may still have to be told.
			env.Execution, env.TaskToken = before.Execution, before.TaskToken
		}
		return nil
	})
	if err != nil {
		return slack.Answer{}, err
	}
	d.Log.Info("removal asked for", "env", name, "revision", env.Revision)
	if env.TaskToken == "" && env.Execution != "" {
		return slack.Removing(name), nil // an execution removes it already
	}
	held, err := d.endHold(ctx, env, env.TaskToken)
	if err != nil || !held {
		err = startExecution(ctx, d.SFN, d.Records, d.Config.StateMachine, env, statemachine.Request{
			Action: statemachine.ActionCleanUp, Environment: name, Revision: env.Revision,
		})
	}
	return slack.Removing(name), err
}

// endHold lets the execution that holds the environment remove it.
func (d *Door) endHold(ctx context.Context, env record.Environment, token string) (held bool, err error) {
	if token == "" {
		return false, nil
	}
	output, err := json.Marshal(statemachine.HoldOutput{
		Environment: env.Name, Revision: env.Revision, Decision: statemachine.DecideCleanUp, Seconds: 1,
	})
	if err != nil {
		return false, err
	}
	return endWait(ctx, d.SFN, token, string(output))
}

// find is the label of what a person named: a label first, since commits may look
// like one, then a pull request, then a commit.
func (d *Door) find(ctx context.Context, target slack.Target) (string, error) {
	names := []string{}
	if target.Label != "" {
		names = append(names, target.Label)
	}
	if target.PullRequest > 0 {
		settings, err := d.Settings(ctx)
		if err != nil {
			return "", err
		}
		names = append(names, settings.RenderLabel(target.PullRequest, repositoryKey(settings, target.Repository)))
	}
	for _, name := range names {
		if _, ok, err := d.Records.Get(ctx, name); err != nil || ok {
			return name, err
		}
	}
	if target.Commit == "" {
		return "", d.noneSuch(ctx, strings.Join(names, " or "))
	}
	found, err := d.Records.ByCommit(ctx, target.Commit)
	switch {
	case err != nil:
		return "", err
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", fault.New(statemachine.ErrBadRequest, "%d environments run that commit: %s.", len(found), strings.Join(found, ", ")).
			WithNext("Name one of them.").In("environment")
	}
	return "", d.noneSuch(ctx, target.Commit)
}

func (d *Door) noneSuch(ctx context.Context, name string) error {
	f := fault.New(statemachine.ErrBadRequest, "There is no environment %s, and there was none in the last month.", name).In("environment")
	live, err := d.Records.Live(ctx)
	if err != nil {
		return err
	}
	if len(live) == 0 {
		return f.WithNext("None lives now; /provisionenv makes one.")
	}
	const most = 20
	more := ""
	if len(live) > most {
		live, more = live[:most], fmt.Sprintf(" and %d more", len(live)-most)
	}
	return f.WithNext("Alive are %s%s.", strings.Join(live, ", "), more)
}
