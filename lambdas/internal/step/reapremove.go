package step

import (
	"context"
	"slices"
	"sync"
	"time"

	"previewenv/lambdas/internal/record"
)

// hands is how many resources are removed side by side. ELBv2 gives a whole account
// three mutating calls a second, so that more would only be throttled.
const hands = 4

// remove takes the items away, rank by rank: AWS forces the order rule, service,
// target group.
func (s *sweep) remove(ctx context.Context) {
	if s.dry {
		return
	}
	for begin := 0; begin < len(s.items); {
		after := begin
		for after < len(s.items) && s.items[after].kind.Rank == s.items[begin].kind.Rank {
			after++
		}
		s.removeRank(ctx, s.items[begin:after])
		begin = after
	}
}

// removeRank tries until everything is gone or patience is at its end. The state
// machine waits without being paid for; this function has nobody to wait for it.
func (s *sweep) removeRank(ctx context.Context, items []item) {
	for deadline := s.Now().Add(s.Patience); ; {
		s.tryAll(ctx, items)
		if !slices.ContainsFunc(items, func(it item) bool { return !it.gone }) || !s.Now().Before(deadline) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.Pause):
		}
	}
}

func (s *sweep) tryAll(ctx context.Context, items []item) {
	var group sync.WaitGroup
	slots := make(chan struct{}, hands)
	for i := range items {
		if items[i].gone {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			s.take(ctx, &items[i])
		})
	}
	group.Wait()
}

// take removes one resource and looks whether it is gone.
func (s *sweep) take(ctx context.Context, it *item) {
	if err := s.takeAway(ctx, it); err != nil {
		it.failure = err.Error()
		s.Log.WarnContext(ctx, "resource not removed", "env", it.resource.Environment, "kind", it.kind.Name, "name", it.resource.Name, "error", it.failure)
		return
	}
	if !it.gone {
		it.failure = "it is still there"
		return
	}
	if it.row != nil {
		it.row.State, it.row.Why = record.Closed, ""
		if err := s.Records.PutResource(ctx, *it.row); err != nil {
			it.gone, it.failure = false, err.Error()
			return
		}
	}
	s.Log.WarnContext(ctx, "resource reaped", "env", it.resource.Environment, "kind", it.kind.Name, "name", it.resource.Name, "why", it.why)
}

func (s *sweep) takeAway(ctx context.Context, it *item) error {
	if err := s.unchanged(ctx, it); err != nil {
		return err
	}
	if it.row != nil && it.row.State != record.Removing {
		it.row.State, it.row.RemovingSince = record.Removing, s.Now().Unix()
		if err := s.Records.PutResource(ctx, *it.row); err != nil {
			return err
		}
	}
	err := it.kind.Remove(ctx, it.resource)
	if it.row != nil && madeNothing(*it.row, err) {
		it.gone = true
		return nil
	}
	if err != nil {
		return err
	}
	present, err := it.kind.Verify(ctx, it.resource)
	it.gone = err == nil && !present
	return err
}

// unchanged is the fence: an environment that came back, or went on, since it was
// judged keeps what it has.
func (s *sweep) unchanged(ctx context.Context, it *item) error {
	label := it.resource.Environment
	if label == "" {
		return nil
	}
	judged := s.lives[label].Environment
	env, ok, err := s.Records.Get(ctx, label)
	if err != nil {
		return err
	}
	if ok != (judged.Name != "") || env.Revision != judged.Revision || env.State != judged.State {
		return record.Superseded(label, judged.Revision, "it changed during the sweep; the next one looks again")
	}
	return nil
}

// close ends the environments whose rows were taken away, with their receipts.
func (s *sweep) close(ctx context.Context) {
	if s.dry {
		return
	}
	for _, ended := range s.out.Ended {
		env := s.lives[ended.Environment].Environment
		if env.Execution != reaper || env.State != record.CleaningUp {
			continue
		}
		s.noteReasons(ctx, env)
		life, ok, err := s.Records.Load(ctx, env.Name)
		if err != nil || !ok || life.Environment.Revision != env.Revision {
			continue // the next sweep closes it
		}
		if _, err := closeRemoval(ctx, s.Records, life, s.Log); err != nil {
			s.problem(ctx, "close "+env.Name, err)
		}
	}
}

// noteReasons leaves on the rows why they are still there, for the receipt.
func (s *sweep) noteReasons(ctx context.Context, env record.Environment) {
	for _, it := range s.items {
		if it.row == nil || it.gone || it.row.Environment != env.Name {
			continue
		}
		it.row.State, it.row.Why, it.row.LeftAt = record.Left, it.failure, env.Revision
		if err := s.Records.PutResource(ctx, *it.row); err != nil {
			s.problem(ctx, "note "+it.row.Key()+" of "+env.Name, err)
		}
	}
}
