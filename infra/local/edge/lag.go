package edge

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"time"

	"previewenv/infra/local/manner"
)

// lag makes the lists that functions ask for be behind what they list.
type lag struct {
	manners *manner.Manners

	mu   sync.Mutex
	seen map[string][]seen // answers to a list, oldest first
	asks map[string]int
}

// Lag makes lists lag from now on.
func (e *Edge) Lag(m *manner.Manners) {
	e.lag.mu.Lock()
	defer e.lag.mu.Unlock()
	e.lag.manners, e.lag.seen, e.lag.asks = m, map[string][]seen{}, map[string]int{}
}

// isList tells whether a call asks for what is eventually consistent: what is found by
// anything but its own name.
func isList(c Call, body []byte) bool {
	switch c.Service {
	case "tagging", "ecs", "sqs":
		return strings.HasPrefix(c.Operation, "List") && c.Operation != "ListQueueTags" || c.Operation == "GetResources"
	case "elasticloadbalancing":
		return c.Operation == "DescribeRules" && bytes.Contains(body, []byte("ListenerArn=")) ||
			c.Operation == "DescribeTargetGroups" && !bytes.Contains(body, []byte("Names.")) && !bytes.Contains(body, []byte("TargetGroupArns."))
	case "dynamodb":
		return c.Operation == "Query" && bytes.Contains(body, []byte(`"IndexName"`))
	}
	return false
}

// list serves a call as it is, unless it is a list that is behind.
func (e *Edge) list(w http.ResponseWriter, r *http.Request, c *Call, body []byte) {
	e.lag.mu.Lock()
	on := e.lag.manners != nil
	e.lag.mu.Unlock()
	if !on || !isList(*c, body) || !e.isFunction(c.Key) {
		e.route(w, r, *c, body)
		return
	}
	answer := newHeld()
	e.route(answer, r, *c, body)
	if old := e.lag.behind(*c, body, answer); old != nil {
		answer = &held{header: old.header, status: old.status, body: *bytes.NewBuffer(old.body)}
	}
	answer.give(w)
}

// behind remembers an answer, and returns the one to give instead of it, or nil.
func (l *lag) behind(c Call, body []byte, answer *held) *seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	request := c.Service + " " + c.Operation + " " + string(body)
	now := time.Now()
	all := l.seen[request]
	last := len(all) - 1
	if last < 0 || all[last].status != answer.status || !bytes.Equal(plain(all[last].body), plain(answer.body.Bytes())) {
		all = append(all, seen{answer.status, answer.header.Clone(), bytes.Clone(answer.body.Bytes()), now})
		last++
	}
	all[last].until = now
	for len(all) > 1 && now.Sub(all[0].until) > l.manners.Scaled(manner.ListLast) {
		all = all[1:]
	}
	l.seen[request] = all
	l.asks[request]++
	if len(all) < 2 || !l.manners.Draws(manner.ListBehind, request, l.asks[request]) {
		return nil
	}
	return &all[len(all)-2]
}
