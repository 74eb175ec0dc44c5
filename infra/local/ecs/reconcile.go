package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	// settle is how long a task without a target group has to run to count as healthy.
	settle = time.Second
	// remembered is how long a failed deployment is told after its rollback. AWS
	// tells it until the rollback is complete, which takes no time here.
	remembered = 10 * time.Second
	// kept is how long a stopped task can be described (docs, DescribeTasks).
	kept = time.Hour
)

// reconcile starts and stops what is between the wishes and the tasks.
func (a *Agent) reconcile() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() != nil {
		return
	}
	now := time.Now()
	a.tasks = slices.DeleteFunc(a.tasks, func(t *task) bool {
		return t.status == stopped && now.Sub(t.stoppedAt) > kept
	})
	for arn, s := range a.services {
		if s.gone {
			for _, t := range a.live(s) {
				t.stop(types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity initiated by (deployment "+t.deployment.id+")")
			}
			if len(a.unfinished(s)) == 0 {
				delete(a.services, arn)
				a.inactive[arn] = true
			}
			continue
		}
		a.judge(s, now)
		a.roll(s, now)
		a.conclude(s, now)
	}
}

// unfinished are a service's tasks that have not stopped; live ones are not
// asked to, either.
func (a *Agent) unfinished(s *service) []*task {
	return a.which(func(t *task) bool { return t.service == s && t.status != stopped })
}

func (a *Agent) live(s *service) []*task {
	return a.which(func(t *task) bool { return t.service == s && t.status != stopped && t.code == "" })
}

func (a *Agent) which(f func(*task) bool) []*task {
	var found []*task
	for _, t := range a.tasks {
		if f(t) {
			found = append(found, t)
		}
	}
	return found
}

// judge looks at the health of each task, and stops those that the load balancer
// finds unhealthy after the grace period.
func (a *Agent) judge(s *service, now time.Time) {
	var grace time.Duration
	if s.Grace != nil {
		grace = time.Duration(*s.Grace) * time.Second
	}
	for _, t := range a.live(s) {
		was := t.healthy
		if t.healthy = false; t.status != running {
			continue
		}
		t.healthy = len(t.targets) == len(s.Balancers) && (len(t.targets) > 0 || now.Sub(t.started) >= settle)
		for _, target := range t.targets {
			if a.options.Healthy == nil {
				continue
			}
			state, reason, description := a.options.Healthy(target.group, t.address, target.port)
			t.healthy = t.healthy && state == "healthy"
			if state == "unhealthy" && now.Sub(t.started) > grace {
				s.tell("(port %d) is unhealthy in (target-group %s) due to (reason %s: %s).", target.port, target.group, reason, description)
				t.stop(types.TaskStopCodeServiceSchedulerInitiated, "Task failed ELB health checks in (target-group "+target.group+")")
				s.fail(t.deployment)
				break
			}
		}
		if t.healthy && !was {
			// Once tasks run well, failures are counted anew.
			t.deployment.failed, t.deployment.pause = 0, time.Time{}
		}
	}
}

// roll starts tasks of the primary deployment and stops others, so that there are
// never fewer healthy ones than desired (minimumHealthyPercent 100) nor more than
// twice as many in all (maximumPercent 200).
func (a *Agent) roll(s *service, now time.Time) {
	p := s.primary()
	failed := p.state == types.DeploymentRolloutStateFailed
	var mine, old []*task
	healthy := 0
	for _, t := range a.live(s) {
		if t.deployment == p {
			mine = append(mine, t)
		} else {
			old = append(old, t)
		}
		if t.healthy {
			healthy++
		}
	}
	if p.content != nil && !failed && !now.Before(p.pause) {
		for len(mine) < s.Desired && len(mine)+len(old) < 2*s.Desired {
			mine = append(mine, a.start(s, p))
		}
	}
	// The least useful first: those that are not healthy, then the newest.
	slices.SortStableFunc(mine, func(x, y *task) int {
		if x.healthy != y.healthy {
			if y.healthy {
				return -1
			}
			return 1
		}
		return y.created.Compare(x.created)
	})
	spare := mine[:max(0, len(mine)-s.Desired)]
	for _, t := range old {
		if t.healthy && healthy > s.Desired || !t.healthy && !failed {
			spare = append(slices.Clip(spare), t)
			if t.healthy {
				healthy--
			}
		}
	}
	for _, t := range spare {
		t.stop(types.TaskStopCodeServiceSchedulerInitiated, "Scaling activity initiated by (deployment "+p.id+")")
	}
}

// conclude tells when the wish is fulfilled, and forgets what is behind.
func (a *Agent) conclude(s *service, now time.Time) {
	p, good, others := s.primary(), 0, false
	busy := map[*deployment]bool{}
	for _, t := range a.unfinished(s) {
		busy[t.deployment] = true
		if t.deployment != p {
			others = true
		} else if t.healthy && t.code == "" {
			good++
		}
	}
	done := p.content != nil && good == s.Desired && !others
	if done && p.state == types.DeploymentRolloutStateInProgress {
		p.state, p.updated = types.DeploymentRolloutStateCompleted, now
		p.reason = "ECS deployment " + p.id + " completed."
		s.completed = p
		s.tell("(deployment %s) deployment completed.", p.id)
	}
	if done && !s.steady {
		s.tell("has reached a steady state.")
	}
	s.steady = done
	s.deployments = slices.DeleteFunc(s.deployments, func(d *deployment) bool {
		recent := d.state == types.DeploymentRolloutStateFailed && now.Sub(d.updated) < remembered
		return d != p && d != s.completed && !busy[d] && !recent
	})
}
