package kvs

import (
	"context"
	"time"

	"previewenv/infra/local/manner"
)

// version is a value of a key, or that there is none, and when an edge shows it.
type version struct {
	value string
	there bool
	shown time.Time
}

// past is what became of a key.
type past struct {
	versions       []version // oldest first
	changes, reads int
}

// Edge is the store as an edge of CloudFront reads it: behind its changes, as
// manners say.
type Edge struct {
	store   *Store
	manners *manner.Manners
	now     func() time.Time
}

// Edge returns the store's reader at an edge. It is the only one that is behind.
func (s *Store) Edge(m *manner.Manners) *Edge {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manners = m
	return &Edge{s, m, time.Now}
}

// remember notes what a key was changed to. The lock is held.
func (s *Store) remember(key, value string, there bool) {
	if s.manners == nil {
		return
	}
	p := s.past[key]
	if p == nil {
		p = &past{}
		s.past[key] = p
	}
	p.changes++
	now := time.Now()
	for len(p.versions) > 1 && !p.versions[1].shown.After(now) { // nobody sees the first any more
		p.versions = p.versions[1:]
	}
	shown := now.Add(s.manners.Within(manner.EdgeFirst, manner.EdgeLast, "key", key, p.changes))
	if n := len(p.versions); n > 0 && shown.Before(p.versions[n-1].shown) {
		shown = p.versions[n-1].shown // changes show in their order
	}
	p.versions = append(p.versions, version{value, there, shown})
}

// Get is one read.
func (e *Edge) Get(key string) (string, bool) {
	s := e.store
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.past[key]
	if p == nil { // it is as it was before there was an edge
		value, ok := s.pairs[key]
		return value, ok
	}
	now := e.now()
	var settled version
	var next *version
	for _, v := range p.versions {
		if !v.shown.After(now) {
			settled = v
		} else if next == nil {
			next = &v
		}
	}
	if next == nil {
		return settled.value, settled.there
	}
	p.reads++
	switch {
	case e.manners.Draws(manner.EdgeEarly, "early", key, p.reads):
		return next.value, next.there
	case e.manners.Draws(manner.EdgeMiss, "miss", key, p.reads):
		return "", false
	}
	return settled.value, settled.there
}

// Settle waits until an edge shows every change so far.
func (s *Store) Settle(ctx context.Context) {
	s.mu.RLock()
	var last time.Time
	for _, p := range s.past {
		if shown := p.versions[len(p.versions)-1].shown; shown.After(last) {
			last = shown
		}
	}
	s.mu.RUnlock()
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(last)):
	}
}
