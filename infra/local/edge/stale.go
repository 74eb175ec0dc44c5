package edge

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// moment is how long AWS may go on giving an answer that is no longer so. The load
// balancer controller waits 20 s for a listener that it has just made
// (kubernetes-sigs/aws-load-balancer-controller, issue 1433); lives are played faster.
const moment = 10 * time.Second

// kept is how many answers to one request are remembered.
const kept = 6

// eventual are the services whose reads may be behind their writes. S3 and a
// consistent read of DynamoDB never are.
var eventual = []string{"elasticloadbalancing", "ecs", "sqs", "ecr", "tagging", "cloudfront-keyvaluestore", "dynamodb"}

// seen is an answer, until when it was the current one.
type seen struct {
	status int
	header http.Header
	body   []byte
	until  time.Time
}

// Remember makes the edge keep answers to reads, which StaleRead needs.
func (e *Edge) Remember() {
	e.struck.mu.Lock()
	defer e.struck.mu.Unlock()
	e.struck.memory = true
}

// ReadOnly tells whether an operation changes nothing.
func ReadOnly(operation string) bool {
	for _, verb := range []string{"Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Search"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// mayLag tells whether AWS might answer the call with what was so before.
func mayLag(c Call, body []byte) bool {
	return c.N > 0 && ReadOnly(c.Operation) && slices.Contains(eventual, c.Service) &&
		!bytes.Contains(body, []byte(`"ConsistentRead":true`))
}

// recall serves a call as it is, remembers the answer, and notes on the call
// whether there was another a moment ago.
func (e *Edge) recall(w http.ResponseWriter, r *http.Request, c *Call, body []byte) {
	e.struck.mu.Lock()
	on := e.struck.memory
	e.struck.mu.Unlock()
	if !on || !mayLag(*c, body) {
		e.list(w, r, c, body)
		return
	}
	answer := newHeld()
	e.list(answer, r, c, body)
	c.Stale = e.earlier(*c, r, body, answer) != nil
	answer.give(w)
}

// misremember answers with what was so a moment ago; false if nothing else was,
// and then with what is.
func (e *Edge) misremember(w http.ResponseWriter, r *http.Request, c *Call, body []byte) bool {
	answer := newHeld()
	e.route(answer, r, *c, body)
	old := e.earlier(*c, r, body, answer)
	if old == nil {
		answer.give(w)
		return false
	}
	(&held{header: old.header, status: old.status, body: *bytes.NewBuffer(old.body)}).give(w)
	return true
}

// earlier remembers an answer and returns the newest other one to the same request
// that was current a moment ago, or nil.
func (e *Edge) earlier(c Call, r *http.Request, body []byte, answer *held) *seen {
	now := time.Now()
	request := c.Service + " " + c.Operation + " " + r.URL.RequestURI() + " " + string(body)
	s := &e.struck
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.life(c.Environment)
	all := l.seen[request]
	last := len(all) - 1
	if last >= 0 && all[last].status == answer.status && bytes.Equal(plain(all[last].body), plain(answer.body.Bytes())) {
		all[last].until = now
		last--
	} else {
		all = append(all, seen{answer.status, answer.header.Clone(), bytes.Clone(answer.body.Bytes()), now})
		l.seen[request] = all[max(0, len(all)-kept):]
	}
	if last < 0 || now.Sub(all[last].until) > moment {
		return nil
	}
	return &all[last]
}

var requestID = regexp.MustCompile(`<RequestId>[^<]*</RequestId>`)

// plain is a body without what is another in every answer.
func plain(body []byte) []byte { return requestID.ReplaceAll(body, nil) }
