package record

import (
	"context"
	"errors"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// Claim is one wish to have an environment.
type Claim struct {
	Wanted      request.Wanted
	Owner       string
	Channel     string
	URL         string
	MaxLifetime time.Duration
	// Revision is 0 for whoever makes the wish; an execution that carries out a
	// wish made before says which.
	Revision int
	// Execution is empty at the door, which only writes what is wanted.
	Execution string
	// Admit says whether there is room for a new life beside those that are not closed,
	// and which limits are so near that two that are let in at once might both get the
	// last place. It is not asked about a life that is there, and may be asked again
	// when others are let in meanwhile. Nil admits everyone.
	Admit func(ctx context.Context, live []Environment) (Near, error)
}

// Near are the limits that few places are left of.
type Near struct {
	Everybody bool // of the installation, or of the load balancer
	Owner     bool
}

// Claim writes what is wanted and returns the record with its revision, and what
// stood there before. The same wish again is the same revision, whoever makes it,
// so that a console re-run converges; another wish is the next one. A label that
// was closed starts a new life.
//
// It refuses with ErrSuperseded when the claim names a revision that is not the
// newest, and with ErrBadRequest while the environment is being removed.
func (s *Store) Claim(ctx context.Context, c Claim) (now, before Environment, err error) {
	for range tries {
		begins := false
		now, err = s.Change(ctx, c.Wanted.Label, func(env *Environment) error {
			before = *env
			if err := s.claim(env, c); err != nil {
				return err
			}
			if begins = env.Incarnation != before.Incarnation; begins {
				return errBegins
			}
			return nil
		})
		if !begins {
			return now, before, err
		}
		now.StateSince = s.Now().Unix()
		if err = s.letIn(ctx, c, &now); !conflict(err) {
			return now, before, err
		}
	}
	return Environment{}, before, fault.New(statemachine.ErrUnavailable, "too many environments are asked for at once")
}

// letIn writes a new life if there is room for it. What was let in is read before
// what lives is counted.
func (s *Store) letIn(ctx context.Context, c Claim, env *Environment) error {
	if c.Admit == nil {
		return s.put(ctx, env)
	}
	read, err := s.admissions(ctx, c.Owner)
	if err != nil {
		return err
	}
	live, err := s.occupants(ctx, read)
	if err != nil {
		return err
	}
	near, err := c.Admit(ctx, live)
	if err != nil {
		return err
	}
	var limits []string
	if near.Everybody {
		limits = append(limits, everybody)
	}
	if near.Owner {
		limits = append(limits, ofOwner(c.Owner))
	}
	return s.admit(ctx, env, limits, read)
}

// errBegins leaves the write of a new life to admit.
var errBegins = errors.New("a new life begins")

func (s *Store) claim(env *Environment, c Claim) error {
	if c.Revision > 0 && (env.Revision != c.Revision || !env.State.Live()) {
		return Superseded(c.Wanted.Label, c.Revision, "a newer request or a removal came first")
	}
	switch env.State {
	case CleaningUp:
		return fault.New(statemachine.ErrBadRequest, "%s is being removed at this moment.", env.Name).
			WithNext("Ask again when its message says that it is gone; that takes about a minute.").In("environment")
	case LeftBehind:
		return fault.New(statemachine.ErrBadRequest, "%s was not removed completely.", env.Name).
			WithNext("Try /cleanupenv %s again, or tell the platform team; until then choose another label.", env.Name).In("environment")
	case "", Gone, Failed:
		s.begin(env, c)
	default:
		s.renew(env, c)
	}
	if c.Execution != "" {
		if env.Execution != c.Execution {
			env.TaskToken = ""
		}
		env.Execution = c.Execution
	}
	return nil
}

// begin starts a new life of the label.
func (s *Store) begin(env *Environment, c Claim) {
	now := s.Now()
	revision, incarnation := env.Revision+1, env.Incarnation+1
	if env.Version == 0 {
		revision, incarnation = first(now), first(now)
	}
	*env = Environment{
		Name: env.Name, Item: env.Item, Version: env.Version,
		Revision: revision, Incarnation: incarnation,
		State: Requested, Wanted: c.Wanted, URL: c.URL,
		Owner: c.Owner, Channel: c.Channel,
		CreatedAt: now, AskedAt: now, ExpiresAt: now.Add(c.Wanted.Lifetime), MaxExpiresAt: now.Add(c.MaxLifetime),
		Live: lives, Commit: c.Wanted.Commit,
	}
}

// epoch is before the first life of any label.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// first is where the counters of a label begin that has no record: seconds. An earlier
// life may have had one, which is forgotten after a month or was lost with the table,
// and its rows may still be there; Step Functions refuses the name of an execution for
// 90 days after it closed. No life has a revision a second, so that no number is ever
// given twice, whatever became of the record.
func first(now time.Time) int { return max(1, int(now.Sub(epoch)/time.Second)) }

// renew changes a living environment, unless it is what is wanted already.
func (s *Store) renew(env *Environment, c Claim) {
	same := env.Wanted.Digest() == c.Wanted.Digest()
	if same && env.State != Degraded {
		return
	}
	if c.Revision > 0 && same {
		return // an execution that carries out a wish made before
	}
	env.Revision++
	env.State, env.Wanted, env.Commit, env.AskedAt = Requested, c.Wanted, c.Wanted.Commit, s.Now()
	env.Fault, env.Reverting = nil, false
	if c.Owner != "" && env.Owner == "" {
		env.Owner, env.Channel = c.Owner, c.Channel
	}
}
