// Package alb is the data plane of one Application Load Balancer on one machine.
// The emulator keeps listeners, rules, target groups and targets; this serves
// requests by them, runs the health checks for real, and answers how healthy a
// target is. It knows nothing of what registers targets, or of whose rules they are.
//
// Every address of 127.0.0.0/8 as a target is 127.0.0.1: moto knows a target by
// its address alone, so that two tasks of one group need two, and only Linux has
// more than one by itself.
package alb

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"previewenv/infra/local/manner"
)

const (
	defaultPoll    = 200 * time.Millisecond
	defaultTimeout = 60 * time.Second // idle_timeout.timeout_seconds of a new load balancer
	// share bounds the reading to one part in so many of the time: the emulator is
	// one Python process for everybody.
	share = 5
)

// Options say which load balancer this is.
type Options struct {
	Config       aws.Config    // of the emulator, or of the edge before it
	LoadBalancer string        // ARN; its listener with the lowest port is served
	Poll         time.Duration // how often the rules are read; 0 is 200 ms
	Timeout      time.Duration // how long a target may take to begin an answer; 0 is 60 s
	Log          *slog.Logger  // nil is nowhere
	Manners      *manner.Manners
}

// Balancer serves requests by the rules as they were last read. While they cannot
// be read, the last ones stand.
type Balancer struct {
	client  *elb.Client
	arn     string
	poll    time.Duration
	log     *slog.Logger
	proxy   *httputil.ReverseProxy
	carrier carrier // of the readings alone

	table  atomic.Pointer[table]
	ctx    context.Context // of the readings and the health checks
	cancel context.CancelFunc
	ended  chan struct{}
	wake   chan struct{}

	mu    sync.Mutex
	dirty map[string]bool // target groups whose targets are to be read
	all   bool            // so are those of every group
}

// New starts to read and to check. Until the first reading every answer is 503.
func New(o Options) *Balancer {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &Balancer{
		client: elb.NewFromConfig(o.Config), arn: o.LoadBalancer, log: log,
		poll:    cmp.Or(o.Poll, defaultPoll),
		proxy:   newProxy(cmp.Or(o.Timeout, defaultTimeout), log),
		carrier: carrier{manners: o.Manners, rules: map[string]*carried{}},
		ended:   make(chan struct{}), wake: make(chan struct{}, 1), dirty: map[string]bool{}, all: true,
	}
	b.table.Store(&table{})
	b.ctx, b.cancel = context.WithCancel(context.Background())
	go b.run()
	return b
}

// Close ends the readings and the health checks. What was read last is served on.
func (b *Balancer) Close() {
	b.cancel()
	<-b.ended
}

// Nudge has everything read again at once.
func (b *Balancer) Nudge() {
	b.mu.Lock()
	b.all = true
	b.mu.Unlock()
	b.rouse()
}

// nudge has the rules read again at once, and the targets of these groups.
func (b *Balancer) nudge(groups ...string) {
	b.mu.Lock()
	for _, arn := range groups {
		b.dirty[arn] = true
	}
	b.mu.Unlock()
	b.rouse()
}

func (b *Balancer) rouse() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *Balancer) run() {
	defer close(b.ended)
	for turn := 0; ; turn++ {
		start := time.Now()
		if err := b.refresh(turn); err != nil && b.ctx.Err() == nil {
			b.log.Warn("read load balancer; the last rules stand", "error", err)
			b.mu.Lock()
			b.all = true
			b.mu.Unlock()
		}
		pause := time.NewTimer(max(b.poll, (share-1)*time.Since(start)))
		select {
		case <-b.ctx.Done():
			pause.Stop()
			return
		case <-b.wake:
		case <-pause.C:
		}
		pause.Stop()
	}
}

// refresh reads the rules, and the targets of the groups that are new or that
// someone changed; of the others, two a turn.
func (b *Balancer) refresh(turn int) error {
	wanted, all := b.takeDirty()
	next, err := b.read(b.ctx)
	if err == nil {
		err = b.readTurn(next, turn, wanted, all)
	}
	if err != nil {
		next.retire(b.table.Load())
		return err
	}
	b.table.Swap(next).retire(next)
	return nil
}

// readTurn reads the targets of the groups whose turn it is.
func (b *Balancer) readTurn(next *table, turn int, wanted map[string]bool, all bool) error {
	arns := next.arns()
	for i, arn := range arns {
		g := next.groups[arn]
		turns := len(arns) <= 2 || i == (2*turn)%len(arns) || i == (2*turn+1)%len(arns)
		if !all && !wanted[arn] && g.read && !turns {
			continue
		}
		if err := b.readTargets(g); err != nil {
			return err
		}
	}
	return nil
}

func (b *Balancer) takeDirty() (wanted map[string]bool, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wanted, all = maps.Clone(b.dirty), b.all
	clear(b.dirty)
	b.all = false
	return wanted, all
}

// ServeHTTP does what the first rule says that fits the request.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, rule := range b.table.Load().rules {
		if rule.matches(r) {
			b.act(w, r, rule.action)
			return
		}
	}
	page(w, http.StatusServiceUnavailable)
}
