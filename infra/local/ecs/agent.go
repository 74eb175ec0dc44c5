// Package ecs does what ECS and Fargate do and an API emulator does not: it makes
// the services that are wished for real. A service's tasks run as processes of
// their unpacked images, are registered with the target group, replaced without
// a gap when the task definition changes, and given up by the deployment circuit
// breaker; the API's answers are completed with what really runs. It knows nothing
// of environments, nor of who serves the images and the load balancer.
//
// A container has no network of its own here, so it is told by the variable PORT
// which port to listen on, in the place of the one in its task definition. Each
// task has an address of its own below 127.0.0.0/8 by which it is registered;
// on the wire that is 127.0.0.1 (see package alb).
package ecs

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

const (
	defaultPoll = 250 * time.Millisecond
	// step is how often the health of the tasks is looked at.
	step = 100 * time.Millisecond
	// share bounds the reading of the API to one part in so many of the time.
	share = 5
	// starting bounds the tasks that start at once, so that twenty environments do
	// not unpack all together.
	starting = 8
)

// Image is an unpacked image. Its files are not to be changed.
type Image struct {
	Dir        string   // of its files
	Entrypoint []string // with its arguments; the program is a path inside the image
	Env        []string // NAME=value
	WorkingDir string   // inside the image
}

// Options are what an agent needs of its surroundings.
type Options struct {
	Config aws.Config // of the emulator, or of the edge before it
	// Unpack gives the files of an image, by tag or by digest.
	Unpack func(ref string) (Image, error)
	// Healthy tells the state of a target in ELBv2's words; nil is always healthy.
	Healthy func(targetGroup, id string, port int) (state, reason, description string)
	// Environment is given to every container, as NAME=value; the image's variables
	// come before it, those of the task definition after.
	Environment []string
	Logs        string        // folder that gets a file for each container
	Poll        time.Duration // how often the wishes are read; 0 is 250 ms
	Log         *slog.Logger  // nil is nowhere
}

// Agent runs the tasks of every service.
type Agent struct {
	options Options
	poll    time.Duration
	log     *slog.Logger
	ecs     *ecs.Client
	elb     *elb.Client
	secrets *secretsmanager.Client
	ssm     *ssm.Client
	shipper *shipper
	ports   *ports

	ctx    context.Context // of everything that the agent does
	cancel context.CancelFunc
	work   sync.WaitGroup
	slots  chan struct{} // of tasks that start
	wake   chan struct{}

	mu          sync.Mutex
	reread      bool
	version     int                              // counts the changes told by Answer
	services    map[string]*service              // by ARN
	inactive    map[string]bool                  // ARNs of services that were deleted
	tasks       []*task                          // of all services, stopped ones too
	definitions map[string]*types.TaskDefinition // by ARN; a revision never changes
	addresses   int                              // that were given to tasks
}

// New starts an agent.
func New(o Options) *Agent {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{
		options: o, log: log, poll: cmp.Or(o.Poll, defaultPoll),
		ecs: ecs.NewFromConfig(o.Config), elb: elb.NewFromConfig(o.Config),
		secrets: secretsmanager.NewFromConfig(o.Config), ssm: ssm.NewFromConfig(o.Config),
		shipper: newShipper(cloudwatchlogs.NewFromConfig(o.Config), log), ports: newPorts(),
		slots: make(chan struct{}, starting), wake: make(chan struct{}, 1),
		services: map[string]*service{}, inactive: map[string]bool{}, definitions: map[string]*types.TaskDefinition{},
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.work.Go(a.run)
	a.work.Go(func() { a.shipper.run(a.ctx) })
	return a
}

// Close kills every task, with all that it started, and waits for their end.
func (a *Agent) Close() {
	a.cancel()
	a.work.Wait()
}

// Nudge has the wishes read at once.
func (a *Agent) Nudge() {
	a.mu.Lock()
	a.reread = true
	a.mu.Unlock()
	a.rouse()
}

func (a *Agent) rouse() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Agent) run() {
	tick := time.NewTicker(step)
	defer tick.Stop()
	var due time.Time
	for {
		a.mu.Lock()
		reread := a.reread
		a.reread = false
		a.mu.Unlock()
		if reread || !time.Now().Before(due) {
			start := time.Now()
			if err := a.read(a.ctx); err != nil && a.ctx.Err() == nil {
				a.log.Warn("read services; the last wishes stand", "error", err)
			}
			due = time.Now().Add(max(a.poll, (share-1)*time.Since(start)))
		}
		a.reconcile()
		select {
		case <-a.ctx.Done():
			return
		case <-a.wake:
		case <-tick.C:
		}
	}
}
