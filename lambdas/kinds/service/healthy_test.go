package service

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

var (
	began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	needs = map[string]string{
		"targetgroup/service1": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/pe-pr1-service1-1/1",
		"queue/orders":         "https://sqs/orders",
	}
)

func TestJudge(t *testing.T) {
	target := func(address string, state elbtypes.TargetHealthStateEnum) elbtypes.TargetHealthDescription {
		return elbtypes.TargetHealthDescription{
			Target: &elbtypes.TargetDescription{Id: &address}, TargetHealth: &elbtypes.TargetHealth{State: state},
		}
	}
	healthy := elbtypes.TargetHealthStateEnumHealthy
	tests := map[string]struct {
		change func(*sight)
		want   verdict
	}{
		"a task that starts may still serve": {func(s *sight) { s.primary.RunningCount = 0 }, starting},
		"a completed rollout with a healthy target serves": {func(s *sight) {
			s.primary.RolloutState = types.DeploymentRolloutStateCompleted
			s.targets = []elbtypes.TargetHealthDescription{target("10.0.0.1", healthy)}
		}, serving},
		"a completed rollout without a healthy target does not serve": {func(s *sight) {
			s.primary.RolloutState = types.DeploymentRolloutStateCompleted
		}, starting},
		"its own healthy target serves before the rollout is called complete": {func(s *sight) {
			s.targets, s.reported = []elbtypes.TargetHealthDescription{target("10.0.0.1", healthy)}, []string{"10.0.0.1"}
		}, serving},
		"a healthy target of the task before does not serve": {func(s *sight) {
			s.targets, s.reported = []elbtypes.TargetHealthDescription{target("10.0.0.9", healthy)}, []string{"10.0.0.1"}
		}, starting},
		"a target that is not healthy yet does not serve": {func(s *sight) {
			s.targets = []elbtypes.TargetHealthDescription{target("10.0.0.1", elbtypes.TargetHealthStateEnumInitial)}
			s.reported = []string{"10.0.0.1"}
		}, starting},
		"a failed deployment is broken at once": {func(s *sight) {
			s.primary.RolloutState = types.DeploymentRolloutStateFailed
		}, broken},
		"a deployment over its limit is broken":           {func(s *sight) { s.now = began.Add(5*time.Minute + time.Second) }, broken},
		"a deployment at its limit may still serve":       {func(s *sight) { s.now = began.Add(5 * time.Minute) }, starting},
		"a service without a deployment is not there yet": {func(s *sight) { s.primary = types.Deployment{} }, starting},
		"content that was never registered is not deployed yet": {func(s *sight) {
			s.current, s.wanted = false, nil
		}, starting},
		"an older deployment that came after the wanted one was put back": {func(s *sight) {
			s.current, s.primary.TaskDefinition = false, aws.String("arn:old")
			s.wanted.RegisteredAt = aws.Time(began.Add(-time.Minute))
		}, broken},
		"an older deployment that came before is about to be replaced": {func(s *sight) {
			s.current, s.primary.TaskDefinition = false, aws.String("arn:old")
			s.wanted.RegisteredAt = aws.Time(began.Add(time.Minute))
		}, starting},
		"an older deployment beside the failed wanted one was put back": {func(s *sight) {
			s.current, s.primary.TaskDefinition = false, aws.String("arn:old")
			s.wanted.RegisteredAt = aws.Time(began.Add(time.Minute))
			s.service.Deployments = []types.Deployment{{
				TaskDefinition: s.wanted.TaskDefinitionArn, RolloutState: types.DeploymentRolloutStateFailed,
			}}
		}, broken},
	}
	for rule, test := range tests {
		t.Run(rule, func(t *testing.T) {
			s := sight{
				name: "service1", now: began.Add(time.Minute), limit: 5 * time.Minute, current: true,
				service: types.Service{DesiredCount: 1},
				wanted:  &types.TaskDefinition{TaskDefinitionArn: aws.String("arn:wanted")},
				primary: types.Deployment{
					TaskDefinition: aws.String("arn:wanted"), RunningCount: 1, CreatedAt: aws.Time(began),
					RolloutState: types.DeploymentRolloutStateInProgress,
				},
			}
			test.change(&s)
			got, why := s.judge()
			if got != test.want || got != serving && why == "" {
				t.Errorf("judge = %d, %q, want %d with words", got, why, test.want)
			}
		})
	}
}

func TestUnhealthyTellsHowTheLastTaskEnded(t *testing.T) {
	row := kind.Resource{
		Environment: "pr1", Name: "service1", Spec: example, Needs: needs,
	}
	crashed := func(id string, stopped time.Time, definition string, code int32) types.Task {
		return types.Task{
			TaskArn: aws.String("arn:aws:ecs:us-east-1:1:task/staging/" + id), TaskDefinitionArn: &definition, StoppedAt: &stopped,
			LastStatus: aws.String("STOPPED"), StoppedReason: aws.String("Essential container in task exited"),
			Containers: []types.Container{
				{Name: aws.String("app"), ExitCode: &code, Reason: aws.String("OutOfMemoryError: container killed")},
				{Name: aws.String("sidecar")},
			},
		}
	}
	fake := &cluster{
		service: types.Service{
			ServiceName: aws.String("pe-pr1-service1-1"), Status: aws.String(active), DesiredCount: 1,
			Deployments: []types.Deployment{{
				Status: aws.String(primary), TaskDefinition: aws.String("arn:wanted"), CreatedAt: &began,
				RolloutState: types.DeploymentRolloutStateFailed,
			}},
		},
		tasks: map[types.DesiredStatus][]types.Task{types.DesiredStatusStopped: {
			crashed("first", began.Add(time.Second), "arn:wanted", 1),
			crashed("last", began.Add(time.Minute), "arn:wanted", 137),
			crashed("before", began.Add(time.Hour), "arn:old", 0),
		}},
		targets: []elbtypes.TargetHealthDescription{{TargetHealth: &elbtypes.TargetHealth{
			State: elbtypes.TargetHealthStateEnumUnhealthy, Reason: elbtypes.TargetHealthReasonEnumResponseCodeMismatch,
			Description: aws.String("Health checks failed with these codes: [500]"),
		}}},
	}
	k := fake.kind(t, row)
	got := fault.As(k.Healthy(t.Context(), row))
	if got == nil || got.Name != statemachine.ErrUnhealthy {
		t.Fatalf("fault = %v, want Unhealthy", got)
	}
	want := strings.Join([]string{
		"service1 is unhealthy: its deployment failed.",
		"Probed: HTTP /health on port 9000, expecting 200.",
		"Target unhealthy (Target.ResponseCodeMismatch): Health checks failed with these codes: [500].",
		"The last task stopped: Essential container in task exited.",
		"Container app exited with 137 (OutOfMemoryError: container killed).",
	}, " ")
	if diff := cmp.Diff(want, got.What); diff != "" {
		t.Error(diff)
	}
	if !strings.HasSuffix(got.Log, "/log-events/service1$252Fapp$252Flast") {
		t.Errorf("log = %s, want that of the last task", got.Log)
	}
}

func TestOwnHealthyTargetServes(t *testing.T) {
	row := kind.Resource{Environment: "pr1", Name: "service1", Spec: example, Needs: needs}
	for rule, test := range map[string]struct {
		address string
		want    bool
	}{
		"a healthy target at the address of the running task serves": {"10.0.0.7", true},
		"one at another address does not":                            {"10.0.0.8", false},
	} {
		t.Run(rule, func(t *testing.T) {
			fake := &cluster{
				service: types.Service{
					ServiceName: aws.String("pe-pr1-service1-1"), Status: aws.String(active), DesiredCount: 1,
					Deployments: []types.Deployment{{
						Status: aws.String(primary), TaskDefinition: aws.String("arn:wanted"), CreatedAt: &began, RunningCount: 1,
						RolloutState: types.DeploymentRolloutStateInProgress,
					}},
				},
				tasks: map[types.DesiredStatus][]types.Task{types.DesiredStatusRunning: {{
					TaskArn: aws.String("arn:task/1"), TaskDefinitionArn: aws.String("arn:wanted"),
					Attachments: []types.Attachment{{Details: []types.KeyValuePair{{
						Name: aws.String("privateIPv4Address"), Value: aws.String("10.0.0.7"),
					}}}},
				}}},
				targets: []elbtypes.TargetHealthDescription{{
					Target:       &elbtypes.TargetDescription{Id: &test.address},
					TargetHealth: &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumHealthy},
				}},
			}
			k := fake.kind(t, row)
			err := k.Healthy(t.Context(), row)
			if (err == nil) != test.want || err != nil && !fault.Is(err, statemachine.ErrNotYet) {
				t.Errorf("Healthy = %v, want serving %v", err, test.want)
			}
		})
	}
}

func TestADrainingServiceIsInTheWayUntilItsTasksAreGone(t *testing.T) {
	for rule, test := range map[string]struct {
		status  string
		running int32
		present bool
	}{
		"active":                  {active, 0, true},
		"draining with a task":    {draining, 1, true},
		"draining without a task": {draining, 0, false},
		"inactive":                {"INACTIVE", 0, false},
	} {
		t.Run(rule, func(t *testing.T) {
			fake := &drained{cluster{service: types.Service{
				ServiceName: aws.String("pe-pr1-service1-1"), Status: &test.status, RunningCount: test.running,
				Tags: []types.Tag{{Key: aws.String("ManagedBy"), Value: aws.String("pe")}, {Key: aws.String("Environment"), Value: aws.String("pr1")}},
			}}}
			k := New(fake, fake, fake, guard.Guard{Prefix: "pe", BaseDomain: "preview.example.com"})
			row := kind.Resource{Environment: "pr1", Name: "service1", Spec: example, Needs: needs}
			got, err := k.Verify(t.Context(), row)
			if err != nil || got != test.present {
				t.Errorf("Verify = %v, %v, want %v", got, err, test.present)
			}
			_, err = k.Ensure(t.Context(), row)
			if (test.status == draining) != fault.Is(err, statemachine.ErrNotYet) {
				t.Errorf("Ensure = %v", err)
			}
		})
	}
}
