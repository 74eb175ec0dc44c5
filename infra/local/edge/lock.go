package edge

import "sync"

// locks serialize calls to the emulator's services. This is a work-around for
// moto 5.2.5 alone: its server handles each request in a thread, but its back
// ends are plain dictionaries, so that two calls at once lose updates or fail with
// "dictionary changed size during iteration". AWS needs nothing of the kind.
type locks map[string]*sync.Mutex

func newLocks() locks {
	// S3 and SQS stand the crowd, and their calls may take long.
	dynamodb := new(sync.Mutex)
	return locks{
		"dynamodb":             dynamodb,
		"dynamodbstreams":      dynamodb, // the same tables
		"elasticloadbalancing": new(sync.Mutex),
		"ecs":                  new(sync.Mutex),
		"states":               new(sync.Mutex),
	}
}

// lock returns how to unlock.
func (l locks) lock(op operation) func() {
	m := l[op.service]
	if m == nil || blocks(op) {
		return func() {}
	}
	m.Lock()
	return m.Unlock
}

// blocks tells the calls that wait for others to be made.
func blocks(op operation) bool {
	return op == operation{"states", "GetActivityTask"} || op == operation{"states", "StartSyncExecution"}
}
