package edge

import (
	"sync"
	"time"
)

// limits are AWS's own, which the emulator has none of.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	refuse  map[operation][]func(request []byte) *Refusal
	counts  map[string]int
}

// bucket holds tokens; a call takes one.
type bucket struct {
	capacity, refill float64 // tokens, tokens a second
	level            float64
	last             time.Time
}

func (b *bucket) take(now time.Time) bool {
	if !b.last.IsZero() {
		b.level = min(b.capacity, b.level+b.refill*now.Sub(b.last).Seconds())
	} else {
		b.level = b.capacity
	}
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// Throttle makes the edge refuse the functions' calls as AWS does for one account
// and Region: docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html,
// docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html. What
// ECS and CloudFormation call has buckets of its own.
func (e *Edge) Throttle() {
	e.limits.mu.Lock()
	defer e.limits.mu.Unlock()
	e.limits.counts = map[string]int{}
	e.limits.buckets = map[string]*bucket{
		"elasticloadbalancing write":    {capacity: 20, refill: 3},
		"elasticloadbalancing register": {capacity: 20, refill: 4},
		"elasticloadbalancing read":     {capacity: 200, refill: 50},
		"ecs task definition":           {capacity: 20, refill: 1},
		"ecs service":                   {capacity: 50, refill: 5},
		"ecs read":                      {capacity: 100, refill: 20},
		"ecs tag":                       {capacity: 20, refill: 10},
	}
}

// Unthrottle ends Throttle.
func (e *Edge) Unthrottle() {
	e.limits.mu.Lock()
	defer e.limits.mu.Unlock()
	e.limits.buckets = nil
}

// Throttles counts the calls that were refused since Throttle, by bucket.
func (e *Edge) Throttles() map[string]int {
	e.limits.mu.Lock()
	defer e.limits.mu.Unlock()
	counts := map[string]int{}
	for name, n := range e.limits.counts {
		counts[name] = n
	}
	return counts
}

// Refuse asks f before each of the functions' calls of an operation; what it
// returns is the answer, unless it is nil. A quota is made so.
func (e *Edge) Refuse(service, name string, f func(request []byte) *Refusal) {
	e.limits.mu.Lock()
	defer e.limits.mu.Unlock()
	op := operation{service, name}
	if e.limits.refuse == nil {
		e.limits.refuse = map[operation][]func([]byte) *Refusal{}
	}
	e.limits.refuse[op] = append(e.limits.refuse[op], f)
}

// bucketOf names the bucket that a call draws on; empty is none.
func bucketOf(service, operation string) string {
	switch operation {
	case "RegisterTargets", "DeregisterTargets":
		return "elasticloadbalancing register"
	case "RegisterTaskDefinition", "DeregisterTaskDefinition":
		return "ecs task definition"
	case "CreateService", "UpdateService", "DeleteService":
		return "ecs service"
	case "DescribeServices", "ListServices":
		return "ecs read"
	case "TagResource":
		return service + " tag"
	}
	if service != "elasticloadbalancing" {
		return ""
	}
	if ReadOnly(operation) {
		return service + " read"
	}
	return service + " write"
}

// limit is AWS's refusal of a call of a function, or nil.
func (e *Edge) limit(c Call, body []byte) *Refusal {
	if !e.isFunction(c.Key) {
		return nil
	}
	e.limits.mu.Lock()
	name := bucketOf(c.Service, c.Operation)
	if b := e.limits.buckets[name]; b != nil && !b.take(time.Now()) {
		e.limits.counts[name]++
		e.limits.mu.Unlock()
		return answerOf(Throttled, c.Service)
	}
	refuse := e.limits.refuse[operation{c.Service, c.Operation}]
	e.limits.mu.Unlock()
	for _, f := range refuse {
		if r := f(body); r != nil {
			return r
		}
	}
	return nil
}

// isFunction tells the functions' calls from the agents'.
func (e *Edge) isFunction(key string) bool {
	e.mu.RLock()
	serving := e.serving
	e.mu.RUnlock()
	return serving != nil && serving(key) != nil
}
