package ecs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// The states of a task's life that are told (docs, task-lifecycle).
const (
	provisioning = "PROVISIONING"
	running      = "RUNNING"
	deactivating = "DEACTIVATING"
	stopped      = "STOPPED"
)

const (
	// drainLimit bounds how long requests are waited for before SIGTERM, whatever the
	// deregistration delay: it is 300 s unless someone sets it, and nobody waits that
	// long on their own machine. What is open then is for the program to finish.
	drainLimit = 2 * time.Second
	// callLimit bounds the calls that take a task's targets away.
	callLimit = 10 * time.Second
	// again is the pause before a registration that failed is tried again.
	again = time.Second
)

// task is one task. The agent's mutex guards what changes.
type task struct {
	id         string
	service    *service
	deployment *deployment
	content    *types.TaskDefinition
	address    string
	created    time.Time
	quit       chan struct{} // closed by stop

	status     string
	healthy    bool
	started    time.Time
	stopping   time.Time
	stoppedAt  time.Time
	code       types.TaskStopCode // set once the task is to end
	reason     string
	targets    []target // that are registered
	containers []*container
}

type target struct {
	group string
	port  int
}

func taskID() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

// arn is in the cluster's account and Region.
func (t *task) arn() string {
	return strings.Replace(t.service.Cluster, ":cluster/", ":task/", 1) + "/" + t.id
}

// stop has the task end; the first reason counts.
func (t *task) stop(code types.TaskStopCode, reason string) {
	if t.code != "" {
		return
	}
	t.code, t.reason, t.stopping = code, reason, time.Now()
	close(t.quit)
}

// start begins a task; the caller has the agent's mutex.
func (a *Agent) start(s *service, d *deployment) *task {
	a.addresses++
	n := a.addresses
	t := &task{
		id: taskID(), service: s, deployment: d, content: d.content, created: time.Now(), status: provisioning,
		address: fmt.Sprintf("127.%d.%d.%d", 64+n>>16&63, n>>8&255, n&255), quit: make(chan struct{}),
	}
	a.tasks = append(a.tasks, t)
	s.tell("has started 1 tasks: (task %s).", t.id)
	a.work.Go(func() {
		a.serve(t)
		a.rouse()
	})
	return t
}

// serve is a task's life.
func (a *Agent) serve(t *task) {
	exited, err := a.launch(t)
	if err != nil {
		a.mu.Lock()
		if t.code == "" {
			t.service.fail(t.deployment)
			t.stop(types.TaskStopCodeTaskFailedToStart, err.Error())
			t.service.tell("was unable to start a task. Reason: %s", err)
		}
		a.mu.Unlock()
		a.terminate(t)
		a.end(t)
		return
	}
	a.mu.Lock()
	t.status, t.started = running, time.Now()
	a.mu.Unlock()
	a.register(t, exited)
	a.rouse()
	select {
	case <-a.ctx.Done():
		a.kill(t)
		return
	case <-t.quit:
	case <-exited:
		a.mu.Lock()
		if t.code == "" {
			t.service.fail(t.deployment)
			t.stop(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
		}
		a.mu.Unlock()
	}
	a.deregister(t, exited)
	a.terminate(t)
	a.end(t)
}

func (a *Agent) end(t *task) {
	a.mu.Lock()
	t.status, t.healthy, t.stoppedAt = stopped, false, time.Now()
	t.service.tell("has stopped 1 running tasks: (task %s).", t.id)
	a.mu.Unlock()
	a.shipper.flush()
}

// register makes the task a target of the service's target groups. It tries until
// that is done or the task ends.
func (a *Agent) register(t *task, exited <-chan struct{}) {
	a.mu.Lock()
	balancers := t.service.Balancers
	a.mu.Unlock()
	for _, b := range balancers {
		port := t.portOf(b.Container)
		for {
			_, err := a.elb.RegisterTargets(a.ctx, &elb.RegisterTargetsInput{
				TargetGroupArn: &b.TargetGroup, Targets: targets(t.address, port),
			})
			if err == nil {
				break
			}
			a.log.Warn("register target", "service", t.service.Name, "task", t.id, "error", err)
			select {
			case <-time.After(again):
				continue
			case <-exited:
			case <-t.quit:
			case <-a.ctx.Done():
			}
			return
		}
		a.mu.Lock()
		t.targets = append(t.targets, target{b.TargetGroup, port})
		t.service.tell("registered 1 targets in (target-group %s)", b.TargetGroup)
		a.mu.Unlock()
	}
}

func targets(id string, port int) []elbtypes.TargetDescription {
	return []elbtypes.TargetDescription{{Id: &id, Port: aws.Int32(int32(port))}} //nolint:gosec
}

// deregister takes the targets away and waits until nothing is sent to them.
func (a *Agent) deregister(t *task, exited <-chan struct{}) {
	a.mu.Lock()
	t.status, t.healthy = deactivating, false
	list := t.targets
	a.mu.Unlock()
	if len(list) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, callLimit)
	defer cancel()
	for _, target := range list {
		_, err := a.elb.DeregisterTargets(ctx, &elb.DeregisterTargetsInput{
			TargetGroupArn: &target.group, Targets: targets(t.address, target.port),
		})
		if gone := new(elbtypes.TargetGroupNotFoundException); err != nil && !errors.As(err, &gone) {
			a.log.Warn("deregister target", "service", t.service.Name, "task", t.id, "error", err)
		}
	}
	a.mu.Lock()
	t.service.tell("has begun draining connections on 1 tasks.")
	a.mu.Unlock()
	if a.options.Healthy == nil {
		return
	}
	limit := time.NewTimer(drainLimit)
	defer limit.Stop()
	for _, target := range list {
		for state := ""; state != "unused"; state, _, _ = a.options.Healthy(target.group, t.address, target.port) {
			select {
			case <-exited:
				return
			case <-a.ctx.Done():
				return
			case <-limit.C:
				return
			case <-time.After(step / 2):
			}
		}
	}
}
