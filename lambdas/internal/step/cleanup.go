package step

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// retryPause is how long AWS gets between two tries at the same resource; an ECS
// service drains in tens of seconds, a queue's deletion takes up to 60 s.
const retryPause = 5

// CleanUp says what is to be removed next, and closes the record when the ledger
// is closed.
type CleanUp struct {
	Records *record.Store
	// Patience is how long one resource is tried before it is left for the next
	// sweep.
	Patience time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Run returns the next batch: all that is left of the lowest rank. It is
// idempotent, and an execution that was superseded is told so.
func (c *CleanUp) Run(ctx context.Context, in statemachine.CleanUpInput) (statemachine.CleanUpOutput, error) {
	out := statemachine.CleanUpOutput{
		Environment: in.Environment, Revision: in.Revision, Scope: in.Scope,
		Outcome: statemachine.Superseded, Batch: []statemachine.Removal{},
	}
	life, ok, err := c.Records.Load(ctx, in.Environment)
	if err != nil || !ok {
		return out, err
	}
	env := life.Environment
	if env.Revision != in.Revision {
		return out, nil
	}
	if in.Scope == statemachine.ScopeAll && env.State != record.CleaningUp {
		out.Outcome, out.Report = outcome(env), report(env)
		return out, nil
	}
	if in.Scope == statemachine.ScopeStale && !env.State.Live() {
		return out, nil
	}
	if in.Scope == statemachine.ScopeAll && env.TaskToken != "" {
		if err := c.begun(ctx, env); err != nil {
			return out, err
		}
	}
	left, err := c.giveUp(ctx, env.Revision, open(life, in.Scope, c.Now()))
	if err != nil {
		return out, err
	}
	if batch := nextBatch(env.Revision, left); len(batch) > 0 {
		out.Outcome = statemachine.More
		for _, row := range batch {
			out.Batch = append(out.Batch, statemachine.Removal{
				Environment: in.Environment, Revision: in.Revision, Kind: row.Kind, Name: row.Name,
			})
			if row.Tries > 0 {
				out.WaitSeconds = retryPause
			}
		}
		return out, nil
	}
	if in.Scope == statemachine.ScopeStale {
		out.Outcome = statemachine.Pruned
		return out, nil
	}
	closed, err := closeRemoval(ctx, c.Records, life, c.Log)
	out.Outcome, out.Report = outcome(closed), report(closed)
	return out, err
}

// begun notes that an execution removes the environment: the token by which it was
// told is of no more use.
func (c *CleanUp) begun(ctx context.Context, seen record.Environment) error {
	_, err := c.Records.Change(ctx, seen.Name, func(env *record.Environment) error {
		if env.Revision != seen.Revision || env.State != record.CleaningUp || env.TaskToken == "" {
			return record.ErrUnchanged
		}
		env.TaskToken = ""
		return nil
	})
	return err
}

// open are the rows that are not closed: all, or those that the newest revision
// neither wants nor leaves to those who read them.
func open(life record.Life, scope statemachine.Scope, now time.Time) []record.Resource {
	var rows []record.Resource
	reading := stillRead(life, now)
	for _, row := range life.Resources {
		stale := row.Revision < life.Environment.Revision && !reading[row.Key()]
		if row.State != record.Closed && (scope == statemachine.ScopeAll || stale) {
			rows = append(rows, row)
		}
	}
	return rows
}

// readFor is how long a build of a frontend stays after another has followed it, at
// least: an edge location may go on pointing to it for half a minute.
const readFor = time.Minute

// stillRead are the builds of frontends that an environment no longer wants and keeps
// all the same: the one before the newest, until the next update, because a page that
// is open loads the rest of its files from there; and each that was followed a moment
// ago.
func stillRead(life record.Life, now time.Time) map[string]bool {
	older := map[string][]record.Resource{}
	for _, row := range life.Resources {
		if row.Kind == "frontend" && row.State == record.Present && row.Revision < life.Environment.Revision {
			older[row.Service] = append(older[row.Service], row)
		}
	}
	kept := map[string]bool{}
	for _, builds := range older {
		slices.SortFunc(builds, func(a, b record.Resource) int { return b.Revision - a.Revision })
		for i, build := range builds {
			if i == 0 || now.Sub(time.Unix(builds[i-1].PresentAt, 0)) < readFor {
				kept[build.Key()] = true
			}
		}
	}
	return kept
}

// giveUp marks what was tried for too long, so that one resource does not hold up
// the rest.
func (c *CleanUp) giveUp(ctx context.Context, revision int, rows []record.Resource) ([]record.Resource, error) {
	for i, row := range rows {
		if row.State != record.Removing || row.Tries < 2 || c.Now().Sub(time.Unix(row.RemovingSince, 0)) < c.Patience {
			continue
		}
		rows[i].State, rows[i].LeftAt = record.Left, revision
		if err := c.Records.PutResource(ctx, rows[i]); err != nil {
			return nil, err
		}
		c.Log.Warn("resource left behind", "env", row.Environment, "kind", row.Kind, "name", row.Name, "tries", row.Tries)
	}
	return rows, nil
}

// nextBatch is the lowest rank that has something to try: AWS forces the order
// rule, service, target group. What this removal has given up is not tried again;
// a later one tries it anew.
func nextBatch(revision int, rows []record.Resource) []record.Resource {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r record.Resource) bool {
		return r.State == record.Left && r.LeftAt == revision
	})
	if len(rows) == 0 {
		return nil
	}
	lowest := slices.MinFunc(rows, func(a, b record.Resource) int { return a.Rank - b.Rank }).Rank
	return slices.DeleteFunc(rows, func(r record.Resource) bool { return r.Rank != lowest })
}

// closeRemoval ends an environment with its receipt, once nothing more of it can be
// removed. What is left keeps it from being closed.
func closeRemoval(ctx context.Context, records *record.Store, life record.Life, log *slog.Logger) (record.Environment, error) {
	receipt := &record.Receipt{Removed: []string{}}
	for _, row := range life.Resources {
		switch {
		case row.State == record.Closed && row.Incarnation == life.Environment.Incarnation:
			receipt.Removed = append(receipt.Removed, row.Kind+" "+row.Name)
		case row.State != record.Closed:
			receipt.Left = append(receipt.Left, strings.TrimSpace(row.Kind+" "+row.Name+": "+row.Why))
		}
	}
	if len(receipt.Left) == 0 {
		if err := records.ForgetServices(ctx, life); err != nil {
			return life.Environment, err
		}
	}
	closes := false
	closed, err := records.Change(ctx, life.Environment.Name, func(env *record.Environment) error {
		if closes = env.Revision == life.Environment.Revision && env.State == record.CleaningUp; !closes {
			return record.ErrUnchanged
		}
		env.Receipt = receipt
		switch {
		case len(receipt.Left) > 0:
			env.State, env.TaskToken = record.LeftBehind, ""
		case env.Good == nil && env.Fault != nil:
			records.Close(env, record.Failed)
		default:
			records.Close(env, record.Gone)
		}
		return nil
	})
	if err == nil && closes {
		log.InfoContext(ctx, "environment closed", "env", closed.Name, "revision", closed.Revision, "state", closed.State,
			"removed", len(receipt.Removed), config.MetricLeftBehind, len(receipt.Left), "_aws", metrics(records.Now(), "Count", config.MetricLeftBehind))
	}
	return closed, err
}

func outcome(env record.Environment) statemachine.Outcome {
	switch env.State {
	case record.Gone:
		return statemachine.Gone
	case record.Failed:
		return statemachine.RolledBack
	case record.LeftBehind:
		return statemachine.LeftBehind
	}
	return statemachine.Superseded
}

// report says in words how a removal ended.
func report(env record.Environment) string {
	if env.Receipt == nil {
		return ""
	}
	words := fmt.Sprintf("%s: %s removed, each verified gone", env.Name, count(len(env.Receipt.Removed), "resource"))
	if len(env.Receipt.Removed) > 0 {
		words += ": " + strings.Join(env.Receipt.Removed, ", ")
	}
	words += "."
	if len(env.Receipt.Left) > 0 {
		words += fmt.Sprintf(" %s left: %s.", count(len(env.Receipt.Left), "resource"), strings.Join(env.Receipt.Left, "; "))
	}
	if env.State == record.Failed && env.Fault != nil {
		words = env.Fault.Error() + " Rolled back. " + words
	}
	return words
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
