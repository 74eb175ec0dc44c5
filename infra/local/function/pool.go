package function

import (
	"context"
	"errors"
	"strconv"
	"sync"
)

// pool is the processes of one function.
type pool struct {
	spec  spec
	slots chan struct{}

	mu     sync.Mutex
	count  int // of the processes that were ever started
	idle   []*sandbox
	all    map[string]*sandbox // by access key
	closed bool
}

var errClosed = errors.New("the functions are closed")

func (p *pool) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pool) leave() { <-p.slots }

// run gives the invocation to an idle process, the last used first as AWS does,
// or to a new one. An idle process that has ended unseen costs nothing but a try.
func (p *pool) run(inv *invocation) Result {
	for {
		s, warm, err := p.take()
		if err != nil {
			return unhandled("Runtime.InvalidEntrypoint", "RequestId: %s Error: %v", inv.id, err)
		}
		result, picked := s.invoke(inv)
		if picked {
			p.give(s)
			return result
		}
		p.discard(s)
		if !warm {
			return result
		}
	}
}

func (p *pool) take() (s *sandbox, warm bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false, errClosed
	}
	if n := len(p.idle); n > 0 {
		s, p.idle = p.idle[n-1], p.idle[:n-1]
		return s, true, nil
	}
	p.count++
	if s, err = startSandbox(p.spec, p.spec.name+"."+strconv.Itoa(p.count)); err != nil {
		return nil, false, err
	}
	if p.all == nil {
		p.all = map[string]*sandbox{}
	}
	p.all[s.key] = s
	return s, false, nil
}

func (p *pool) give(s *sandbox) {
	p.mu.Lock()
	old := s.spec.binary != p.spec.binary
	p.mu.Unlock()
	if old || s.ended() {
		p.discard(s)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.idle = append(p.idle, s)
	}
}

func (p *pool) discard(s *sandbox) {
	p.mu.Lock()
	delete(p.all, s.key)
	p.mu.Unlock()
	s.close()
}

func (p *pool) find(key string) *sandbox {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[key]
}

// use has every process from now on run another binary, as a deployment does: what is
// under way ends with the old one.
func (p *pool) use(binary string, environment []string) {
	p.mu.Lock()
	p.spec.binary, p.spec.environment = binary, environment
	p.mu.Unlock()
	p.restart()
}

func (p *pool) restart() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, s := range idle {
		p.discard(s)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	all := p.all
	p.all, p.idle = nil, nil
	p.mu.Unlock()
	for _, s := range all {
		s.close()
	}
}
