package alb

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// health is how AWS words the state of a target.
type health struct {
	state       types.TargetHealthStateEnum
	reason      types.TargetHealthReasonEnum
	description string
}

var (
	registering = health{types.TargetHealthStateEnumInitial, types.TargetHealthReasonEnumRegistrationInProgress,
		"Target registration is in progress"}
	checking = health{types.TargetHealthStateEnumInitial, types.TargetHealthReasonEnumInitialHealthChecking,
		"Initial health checks in progress"}
	healthy  = health{state: types.TargetHealthStateEnumHealthy}
	draining = health{types.TargetHealthStateEnumDraining, types.TargetHealthReasonEnumDeregistrationInProgress,
		"Target deregistration is in progress"}
	notRegistered = health{types.TargetHealthStateEnumUnused, types.TargetHealthReasonEnumNotRegistered,
		"Target is not registered to the target group"}
	notInUse = health{types.TargetHealthStateEnumUnused, types.TargetHealthReasonEnumNotInUse,
		"Target group is not configured to receive traffic from the load balancer"}
)

// group is a target group that a rule forwards to, with the targets as this load
// balancer sees them.
type group struct {
	ctx    context.Context // of the health checks
	cancel context.CancelFunc
	read   bool // its targets were read once; only the reader uses it

	mu      sync.Mutex
	check   check
	targets []*target // with those that drain
	next    int
}

// target is guarded by its group's mutex.
type target struct {
	address
	health
	inFlight int
	cancel   context.CancelFunc
}

func newGroup(ctx context.Context) *group {
	g := new(group)
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

func (g *group) set(c check) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.check = c
}

func (g *group) settings() check {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.check
}

// sync has exactly these targets registered: a new one is checked at once, one
// that left gets no more requests and goes when its last is answered.
func (g *group) sync(registered []address) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.read = true
	for _, t := range g.targets {
		if t.state != draining.state && !slices.Contains(registered, t.address) {
			t.cancel()
			t.health = draining
		}
	}
	g.targets = slices.DeleteFunc(g.targets, (*target).drained)
	for _, a := range registered {
		if g.registered(a) {
			continue
		}
		ctx, cancel := context.WithCancel(g.ctx)
		t := &target{address: a, health: registering, cancel: cancel}
		g.targets = append(g.targets, t)
		go g.watch(ctx, t)
	}
}

func (t *target) drained() bool { return t.state == draining.state && t.inFlight == 0 }

func (g *group) registered(a address) bool {
	return slices.ContainsFunc(g.targets, func(t *target) bool { return t.address == a && t.state != draining.state })
}

// pick takes the next healthy target in turn, or nil; release gives it back.
func (g *group) pick() *target {
	g.mu.Lock()
	defer g.mu.Unlock()
	for range g.targets {
		g.next = (g.next + 1) % len(g.targets)
		if t := g.targets[g.next]; t.state == healthy.state {
			t.inFlight++
			return t
		}
	}
	return nil
}

func (g *group) release(t *target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.inFlight--
	g.targets = slices.DeleteFunc(g.targets, (*target).drained)
}

// healthOf tells how a target is, as registered if it is both that and draining.
func (g *group) healthOf(a address) (health, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, ok := notRegistered, false
	for _, t := range g.targets {
		if t.address == a {
			found, ok = t.health, true
		}
	}
	return found, ok
}

// leaving are the targets that drain.
func (g *group) leaving() []address {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []address
	for _, t := range g.targets {
		if t.state == draining.state && !g.registered(t.address) {
			found = append(found, t.address)
		}
	}
	return found
}
