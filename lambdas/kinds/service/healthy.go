package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

// primary is the status of a service's newest deployment (botocore, Deployment).
const primary = "PRIMARY"

// sight is what was seen of a service at one moment.
type sight struct {
	name     string // of the ledger row, for people
	now      time.Time
	limit    time.Duration
	service  types.Service
	primary  types.Deployment
	wanted   *types.TaskDefinition // nil when no revision with the wanted content is active
	current  bool                  // the primary deployment is of the wanted content
	targets  []elbtypes.TargetHealthDescription
	reported []string // addresses of the running tasks of the wanted task definition
}

// verdict is what a sight means.
type verdict int

const (
	serving verdict = iota
	starting
	broken
)

// Healthy is nil when the wanted task definition is deployed and a target of it
// passes its health check. While it may still come true the fault is
// statemachine.ErrNotYet; when the deployment failed, was rolled back or took longer
// than StartupLimit, it is statemachine.ErrUnhealthy and says what was probed, what
// came back and how the last task ended. It changes nothing.
func (k *Kind) Healthy(ctx context.Context, r kind.Resource) error {
	spec, err := k.read(r)
	if err != nil {
		return err
	}
	if spec, err = k.resolve(r, spec); err != nil {
		return err
	}
	found, err := k.find(ctx, spec)
	if err != nil {
		return err
	}
	if found == nil || aws.ToString(found.Status) != active {
		return fault.New(statemachine.ErrNotYet, "The service of %s is not there yet.", r.Name)
	}
	s := sight{name: r.Name, now: k.Now(), limit: k.StartupLimit, service: *found}
	if err := k.look(ctx, spec, &s); err != nil {
		return err
	}
	state, why := s.judge()
	switch state {
	case serving:
		return nil
	case starting:
		return fault.New(statemachine.ErrNotYet, "%s", why)
	}
	return k.unhealthy(ctx, r, spec, s, why)
}

// look completes the sight of a service.
func (k *Kind) look(ctx context.Context, spec Spec, s *sight) error {
	i := slices.IndexFunc(s.service.Deployments, func(d types.Deployment) bool { return aws.ToString(d.Status) == primary })
	if i < 0 {
		return nil
	}
	s.primary = s.service.Deployments[i]
	hash, err := contentHash(spec.TaskDefinition)
	if err != nil {
		return err
	}
	deployed, tags, err := k.content(ctx, aws.ToString(s.primary.TaskDefinition))
	if err != nil {
		return err
	}
	if tags[hashTag] == hash {
		s.wanted, s.current = deployed, true
	} else if s.wanted, err = k.revision(ctx, spec.Name, hash, func(string, map[string]string) error { return nil }); err != nil {
		return err
	}
	if s.targets, err = k.targetHealth(ctx, spec); err != nil {
		return err
	}
	if s.current && s.primary.RolloutState != types.DeploymentRolloutStateCompleted && s.primary.RunningCount >= s.service.DesiredCount {
		s.reported, err = k.addresses(ctx, spec, aws.ToString(s.primary.TaskDefinition))
	}
	return err
}

// judge says how the service stands, and why, in words.
func (s sight) judge() (verdict, string) {
	switch {
	case s.primary.TaskDefinition == nil || s.wanted == nil:
		return starting, fmt.Sprintf("The deployment of %s has not begun.", s.name)
	case !s.current:
		return s.replaced()
	case s.primary.RolloutState == types.DeploymentRolloutStateFailed:
		return broken, "its deployment failed"
	case s.primary.RolloutState == types.DeploymentRolloutStateCompleted && s.healthy(nil) > 0:
		return serving, ""
	case s.primary.RunningCount >= s.service.DesiredCount && s.healthy(s.reported) >= int(s.service.DesiredCount) && s.service.DesiredCount > 0:
		// ECS calls a rollout complete only after a while of its own.
		return serving, ""
	case s.primary.CreatedAt != nil && s.now.Sub(*s.primary.CreatedAt) > s.limit:
		return broken, fmt.Sprintf("it was not healthy within %s", strings.Replace(s.limit.String(), "m0s", " minutes", 1))
	case s.primary.RunningCount < s.service.DesiredCount:
		return starting, fmt.Sprintf("%s: the task is starting.", s.name)
	}
	return starting, fmt.Sprintf("%s: the task runs and has not passed its health check yet.", s.name)
}

// replaced judges a service whose newest deployment is of other content: the circuit
// breaker has put an older one back, or the update is not to be seen yet.
func (s sight) replaced() (verdict, string) {
	wanted := aws.ToString(s.wanted.TaskDefinitionArn)
	for _, deployment := range s.service.Deployments {
		if aws.ToString(deployment.TaskDefinition) == wanted && deployment.RolloutState == types.DeploymentRolloutStateFailed {
			return broken, "its deployment failed, and the one before was put back"
		}
	}
	if s.primary.CreatedAt != nil && s.wanted.RegisteredAt != nil && s.primary.CreatedAt.After(*s.wanted.RegisteredAt) {
		return broken, "its deployment failed, and the one before was put back"
	}
	return starting, fmt.Sprintf("The deployment of %s has not begun.", s.name)
}

// healthy counts the healthy targets; with addresses, only those among them.
func (s sight) healthy(addresses []string) int {
	var count int
	for _, target := range s.targets {
		if target.TargetHealth == nil || target.TargetHealth.State != elbtypes.TargetHealthStateEnumHealthy || target.Target == nil {
			continue
		}
		if addresses == nil && s.primary.RolloutState == types.DeploymentRolloutStateCompleted ||
			slices.Contains(addresses, aws.ToString(target.Target.Id)) {
			count++
		}
	}
	return count
}
