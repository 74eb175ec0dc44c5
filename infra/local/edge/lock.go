package edge

import "sync"

// door is the one caller that goes before all others.
const door = "slack"

// locks serialize calls to the emulator's services. This is a work-around for
// moto 5.2.5 alone: its server handles each request in a thread, but its back
// ends are plain dictionaries, so that two calls at once lose updates or fail with
// "dictionary changed size during iteration". AWS needs nothing of the kind.
type locks map[string]*turnstile

func newLocks() locks {
	// S3, SQS and Step Functions stand the crowd, and their calls may take long.
	dynamodb := new(turnstile)
	return locks{
		"dynamodb":             dynamodb,
		"dynamodbstreams":      dynamodb, // the same tables
		"elasticloadbalancing": new(turnstile),
		"ecs":                  new(turnstile),
	}
}

// lock returns how to unlock.
func (l locks) lock(op operation, caller string) func() {
	t := l[op.service]
	if t == nil {
		return func() {}
	}
	t.enter(caller == door)
	return t.leave
}

// turnstile lets one call in at a time. Where AWS serves all at once, here one
// process is all of AWS, and twenty executions would make Slack's door miss its
// 3 s; so whoever is urgent goes first.
type turnstile struct {
	mu           sync.Mutex
	busy         bool
	urgent, rest []chan struct{}
}

func (t *turnstile) enter(urgent bool) {
	t.mu.Lock()
	if !t.busy {
		t.busy = true
		t.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	if urgent {
		t.urgent = append(t.urgent, turn)
	} else {
		t.rest = append(t.rest, turn)
	}
	t.mu.Unlock()
	<-turn
}

func (t *turnstile) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := &t.urgent
	if len(*queue) == 0 {
		queue = &t.rest
	}
	if len(*queue) == 0 {
		t.busy = false
		return
	}
	close((*queue)[0])
	*queue = (*queue)[1:]
}
