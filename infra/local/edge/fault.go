package edge

import (
	"sync"
	"time"
)

// Kind is what may be done to a call.
type Kind string

// The kinds of faults.
const (
	Throttled      Kind = "throttled"
	InternalError  Kind = "internal error"
	AccessDenied   Kind = "access denied"
	CutBefore      Kind = "cut before"           // the connection, before anything was done
	AnswerLost     Kind = "answer lost"          // the call is done, then the connection is cut
	TooSlow        Kind = "too slow"             // the call is done, and its answer held until the caller gives up
	StaleRead      Kind = "stale read"           // answered with what was so a moment ago
	KilledUntold   Kind = "killed before answer" // the call is done, then the caller's process is killed
	KilledAnswered Kind = "killed after answer"  // the caller's process is killed before it does anything with the answer
	Limited        Kind = "over a limit"         // refused as AWS's buckets and quotas do; see Throttle and Refuse
	Untouched      Kind = "untouched"            // the call goes on as ever; see Fault.Then
)

// Until is the Times of a fault that lasts until it is lifted.
const Until = -1

// Fault is something that is done to some calls of one environment.
type Fault struct {
	Environment string
	Like        Like
	// Nth is the first call that it is done to, from 1 on.
	Nth int
	// Times is how many calls in a row it is done to; 0 is 1.
	Times int
	Kind  Kind
	// Hold bounds TooSlow; 0 is 8 seconds. Then the connection is cut.
	Hold time.Duration
	// Then, if any, is told of each call before the fault is done to it.
	Then func(Call)
}

// Killer ends the processes of functions.
type Killer interface {
	// Kill ends the process that has an access key, whatever it does.
	Kill(key string)
	// Doom ends it instead of taking its next answer.
	Doom(key string)
}

// Injected is a fault that waits for its calls.
type Injected struct {
	fault Fault
	state *struck

	fired  int
	lifted bool
}

// struck is what the edge knows of environments, for faults.
type struck struct {
	mu      sync.Mutex
	lives   map[string]*life
	aliases map[string]string
	doomed  map[string]bool // access keys
	memory  bool
}

// life is what is known of one environment.
type life struct {
	calls  map[Like]int
	faults []*Injected
	seen   map[string][]seen // answers to a request, oldest first
}

func newStruck() struck {
	return struck{lives: map[string]*life{}, aliases: map[string]string{}, doomed: map[string]bool{}}
}

// life of an environment. The lock is held.
func (s *struck) life(environment string) *life {
	l := s.lives[environment]
	if l == nil {
		l = &life{calls: map[Like]int{}, seen: map[string][]seen{}}
		s.lives[environment] = l
	}
	return l
}

// Kills tells the edge how to kill.
func (e *Edge) Kills(k Killer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.killer = k
}

// Inject does a fault to the calls that it names, from now on.
func (e *Edge) Inject(f Fault) *Injected {
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Hold == 0 {
		f.Hold = 8 * time.Second
	}
	s := &e.struck
	s.mu.Lock()
	defer s.mu.Unlock()
	i := &Injected{fault: f, state: s}
	l := s.life(f.Environment)
	l.faults = append(l.faults, i)
	return i
}

// Forget drops what is known of an environment, with its faults.
func (e *Edge) Forget(environment string) {
	e.struck.mu.Lock()
	defer e.struck.mu.Unlock()
	delete(e.struck.lives, environment)
}

// Fired is how many calls it was done to.
func (i *Injected) Fired() int {
	i.state.mu.Lock()
	defer i.state.mu.Unlock()
	return i.fired
}

// Lift ends the fault.
func (i *Injected) Lift() {
	i.state.mu.Lock()
	defer i.state.mu.Unlock()
	i.lifted = true
}

// faultFor finds what is to be done to a call; it counts as fired.
func (e *Edge) faultFor(c Call) *Injected {
	if c.N == 0 {
		return nil
	}
	s := &e.struck
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.life(c.Environment).faults {
		f := i.fault
		if i.lifted || f.Like != c.Like() || c.N < f.Nth || f.Times != Until && i.fired >= f.Times {
			continue
		}
		i.fired++
		return i
	}
	return nil
}

// unfire takes back that a fault was done: there was nothing to do it with.
func (i *Injected) unfire() {
	i.state.mu.Lock()
	defer i.state.mu.Unlock()
	i.fired--
}
