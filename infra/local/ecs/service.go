package ecs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// service is a service and what became of its wish. The agent's mutex guards it.
type service struct {
	described
	created     time.Time
	gone        bool                       // deleted; its tasks may still stop
	kept        map[string]json.RawMessage // settings that moto does not keep
	deployments []*deployment              // the first is PRIMARY
	completed   *deployment                // the last that was
	known       map[string]bool            // ids of deployments
	events      []event                    // the newest first
	steady      bool
	// After a rollback, until the API has the earlier task definition: refused is
	// the one that failed, and revert the earlier.
	refused, revert string
}

// deployment is one task definition being rolled out, or that was.
type deployment struct {
	id               string
	definition       string                // ARN; until it is looked up, whatever names it
	content          *types.TaskDefinition // nil until it is looked up
	created, updated time.Time
	state            types.DeploymentRolloutState
	reason           string
	failed           int       // tasks in a row
	pause            time.Time // no task is started before
}

type event struct {
	id      string
	created time.Time
	message string
}

// eventLimit is how many events a service keeps (botocore, Service).
const eventLimit = 100

func (s *service) tell(format string, args ...any) {
	e := event{id: taskID(), created: time.Now(), message: fmt.Sprintf("(service %s) ", s.Name) + fmt.Sprintf(format, args...)}
	s.events = slices.Insert(s.events, 0, e)
	s.events = s.events[:min(len(s.events), eventLimit)]
}

func (s *service) primary() *deployment { return s.deployments[0] }

// observeAll takes what was read; a service that is no longer there is gone.
func (a *Agent) observeAll(found []described) {
	there := map[string]bool{}
	for _, d := range found {
		there[d.ARN] = true
		a.observe(d)
	}
	for arn, s := range a.services {
		if !there[arn] {
			s.gone, s.Desired = true, 0
		}
	}
}

// observe takes one service as it is wished for now. A task definition or a
// deployment that was not there before begins a deployment.
func (a *Agent) observe(d described) *service {
	s := a.services[d.ARN]
	if d.Status != "ACTIVE" {
		if s != nil {
			s.gone, s.Desired = true, 0
		}
		return s
	}
	delete(a.inactive, d.ARN)
	if s == nil || s.gone {
		s = &service{created: time.Now(), known: map[string]bool{}, kept: map[string]json.RawMessage{}}
		a.services[d.ARN] = s
	}
	if d.Grace == nil {
		d.Grace = s.Grace
	}
	if d.Configuration == nil {
		d.Configuration = s.Configuration
	}
	forced := ""
	if len(d.Deployments) > 0 && !s.known[d.Deployments[0].ID] {
		forced = d.Deployments[0].ID
	}
	if d.TaskDefinition != s.refused {
		s.refused = ""
	}
	changed := len(s.deployments) == 0 || d.TaskDefinition != s.TaskDefinition && d.TaskDefinition != s.primary().definition
	s.described = d
	if s.refused == "" && changed || forced != "" {
		s.begin(d.TaskDefinition, forced)
	}
	return s
}

// begin makes a deployment PRIMARY. Those before it stay while they have tasks.
func (s *service) begin(definition, id string) {
	if id == "" {
		id = fmt.Sprintf("ecs-svc/%019d", rand.Int64())
	}
	now := time.Now()
	d := &deployment{
		id: id, definition: definition, created: now, updated: now,
		state: types.DeploymentRolloutStateInProgress, reason: fmt.Sprintf("ECS deployment %s in progress.", id),
	}
	s.known[id] = true
	s.steady, s.revert, s.refused = false, "", ""
	s.deployments = slices.Insert(s.deployments, 0, d)
}

// fail counts a task that failed, and trips the circuit breaker at its threshold.
func (s *service) fail(d *deployment) {
	d.failed++
	d.updated = time.Now()
	d.pause = time.Now().Add(min(backoff<<min(d.failed-1, 10), backoffLimit))
	s.steady = false
	if d != s.primary() || d.state != types.DeploymentRolloutStateInProgress {
		return
	}
	if s.Configuration == nil || s.Configuration.Breaker == nil || !s.Configuration.Breaker.Enable {
		if d.failed == unsteady {
			s.tell("is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
		return
	}
	if d.failed < s.Configuration.Breaker.limit(s.Desired) {
		return
	}
	d.state, d.reason = types.DeploymentRolloutStateFailed, "ECS deployment circuit breaker: tasks failed to start."
	s.tell("(deployment %s) deployment failed: tasks failed to start.", d.id)
	if s.Configuration.Breaker.Rollback && s.completed != nil && s.completed != d {
		s.rollBack()
	}
}

// rollBack makes the last completed deployment PRIMARY again.
func (s *service) rollBack() {
	back := s.completed
	s.deployments = slices.DeleteFunc(s.deployments, func(d *deployment) bool { return d == back })
	s.deployments = slices.Insert(s.deployments, 0, back)
	back.state, back.updated, back.failed = types.DeploymentRolloutStateInProgress, time.Now(), 0
	back.reason = "ECS deployment circuit breaker: rolling back to deploymentId " + back.id + "."
	s.refused, s.revert = s.TaskDefinition, back.definition
	s.tell("rolling back to deployment %s.", back.id)
}

const (
	// A task that fails is started again after a pause that doubles.
	backoff      = 200 * time.Millisecond
	backoffLimit = 15 * time.Second
	// unsteady is how many failures in a row make an event.
	unsteady = 5
)

// limit is how many failed tasks trip the breaker (docs, deployment-circuit-breaker:
// half of the desired count, at least 3 and at most 200, unless it says otherwise).
func (b *breaker) limit(desired int) int {
	kind, value := "BOUNDED_PERCENT", 50
	if b.Threshold != nil {
		kind, value = b.Threshold.Type, b.Threshold.Value
	}
	part := (desired*value + 99) / 100
	switch kind {
	case "COUNT":
		return max(1, value)
	case "UNBOUNDED_PERCENT":
		return max(1, part)
	}
	return min(max(3, part), 200)
}
