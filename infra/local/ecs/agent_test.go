package ecs_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

const image = "registry.example.com/server:1"

func completed(s types.Service) bool {
	return len(s.Deployments) > 0 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
}

func TestAServiceBecomesTasksThatAnswer(t *testing.T) {
	s := newStack(t)
	secret := must(s.secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("answers"), SecretString: aws.String(`{"password":"hidden"}`),
	}))(t)
	must(s.ssm.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/answers/url"), Value: aws.String("there"), Type: ssmtypes.ParameterTypeString,
	}))(t)
	group := s.route("answers", 1)
	definition := s.define("answers", image, map[string]string{"VERSION": "v1"},
		types.Secret{Name: aws.String("SECRET"), ValueFrom: aws.String(*secret.ARN + ":password::")},
		types.Secret{Name: aws.String("PARAMETER"), ValueFrom: aws.String("arn:aws:ssm:us-east-1:123456789012:parameter/answers/url")})
	made := s.create("answers", definition, group, 2)
	if state := made.Deployments[0].RolloutState; state != types.DeploymentRolloutStateInProgress {
		t.Errorf("the deployment of a new service is %s", state)
	}

	got := s.await("answers", completed)
	if got.RunningCount != 2 || got.PendingCount != 0 || got.Deployments[0].Id == nil || *got.Deployments[0].Id != *made.Deployments[0].Id {
		t.Errorf("described: %d run, %d wait, deployment %v", got.RunningCount, got.PendingCount, got.Deployments)
	}
	if got.DeploymentConfiguration == nil || !got.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback {
		t.Error("the deployment configuration is lost")
	}
	if status, body := s.get("answers.example.com"); status != 200 || body != "v1 hidden there" {
		t.Errorf("answer: %d %q", status, body)
	}
	health := must(s.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group}))(t)
	for _, d := range health.TargetHealthDescriptions {
		if d.TargetHealth.State != "healthy" {
			t.Errorf("target %s is %s", *d.Target.Id, d.TargetHealth.State)
		}
	}
	if len(health.TargetHealthDescriptions) != 2 {
		t.Errorf("%d targets for two tasks", len(health.TargetHealthDescriptions))
	}
	s.wantLog("/answers", "starting v1")

	must(s.ecs.DeleteService(t.Context(), &awsecs.DeleteServiceInput{Cluster: &s.cluster, Service: aws.String("answers"), Force: aws.Bool(true)}))(t)
	s.await("answers", func(s types.Service) bool { return *s.Status == "INACTIVE" })
	listed := must(s.ecs.ListServices(t.Context(), &awsecs.ListServicesInput{Cluster: &s.cluster}))(t)
	if len(listed.ServiceArns) != 0 {
		t.Errorf("the deleted service is still listed: %v", listed.ServiceArns)
	}
	health = must(s.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group}))(t)
	if len(health.TargetHealthDescriptions) != 0 {
		t.Errorf("targets left by the deleted service: %v", health.TargetHealthDescriptions)
	}
	for _, task := range s.stopped("answers") {
		if task.StopCode != types.TaskStopCodeServiceSchedulerInitiated || aws.ToInt32(task.Containers[0].ExitCode) != 0 {
			t.Errorf("stopped by %s with %d", task.StopCode, aws.ToInt32(task.Containers[0].ExitCode))
		}
	}
}

func (s *stack) wantLog(group, message string) {
	s.t.Helper()
	for range 300 {
		out, err := s.logs.FilterLogEvents(s.t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
		if err == nil {
			for _, e := range out.Events {
				if *e.Message == message && strings.HasPrefix(*e.LogStreamName, "web/app/") {
					return
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Errorf("log group %s has no %q", group, message)
}

func TestNoRequestFailsWhileADeploymentRolls(t *testing.T) {
	s := newStack(t)
	group := s.route("rolls", 1)
	s.create("rolls", s.define("rolls", image, map[string]string{"VERSION": "v1"}), group, 2)
	s.await("rolls", completed)

	var load sync.WaitGroup
	var requests, bad atomic.Int64
	var seen sync.Map
	done := make(chan struct{})
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				status, body := s.get("rolls.example.com")
				requests.Add(1)
				seen.Store(strings.TrimSpace(body), true)
				if status != 200 {
					bad.Add(1)
					seen.Store(body, status)
				}
			}
		})
	}
	second := s.define("rolls", image, map[string]string{"VERSION": "v2"})
	updated := s.update("rolls", second)
	if *updated.Deployments[0].TaskDefinition != second || *updated.Deployments[0].Status != "PRIMARY" || *updated.Deployments[1].Status != "ACTIVE" {
		t.Errorf("the update's answer has not the new deployment before the old: %v", updated.Deployments)
	}
	fewest := int32(2)
	s.await("rolls", func(s types.Service) bool {
		fewest = min(fewest, s.RunningCount)
		return completed(s) && *s.Deployments[0].TaskDefinition == second
	})
	close(done)
	load.Wait()
	if bad.Load() != 0 || requests.Load() == 0 {
		seen.Range(func(body, status any) bool { t.Log(status, body); return true })
		t.Errorf("%d of %d requests failed", bad.Load(), requests.Load())
	}
	if fewest < 2 {
		t.Errorf("only %d tasks ran at a time", fewest)
	}
	for _, version := range []string{"v1", "v2"} {
		if _, ok := seen.Load(version); !ok {
			t.Errorf("%s never answered", version)
		}
	}
	if _, body := s.get("rolls.example.com"); strings.TrimSpace(body) != "v2" {
		t.Errorf("after the deployment %q answers", body)
	}
}

func TestTheCircuitBreakerGivesUp(t *testing.T) {
	for _, test := range []struct {
		name      string
		image     string
		variables map[string]string
		code      types.TaskStopCode
		reason    string
	}{
		{"a task that exits", image, map[string]string{"CRASH": "1"}, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited"},
		{"a task that stays unhealthy", image, map[string]string{"SICK": "1"}, types.TaskStopCodeServiceSchedulerInitiated, "Task failed ELB health checks in (target-group "},
		{"an image that is not there", "registry.example.com/none:1", nil, types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStack(t)
			name := "trip"
			group := s.route(name, 1)
			s.create(name, s.define(name, test.image, test.variables), group, 1)
			got := s.await(name, func(s types.Service) bool {
				return s.Deployments[0].RolloutState == types.DeploymentRolloutStateFailed
			})
			want := "ECS deployment circuit breaker: tasks failed to start."
			if diff := cmp.Diff(want, *got.Deployments[0].RolloutStateReason); diff != "" {
				t.Error(diff)
			}
			if n := got.Deployments[0].FailedTasks; n != 2 {
				t.Errorf("%d failed tasks told, threshold 2", n)
			}
			time.Sleep(time.Second) // longer than any pause between two tasks would be
			tasks := s.stopped(name)
			if len(tasks) != 2 {
				t.Errorf("%d tasks were started, threshold 2", len(tasks))
			}
			for _, task := range tasks {
				if task.StopCode != test.code || !strings.HasPrefix(*task.StoppedReason, test.reason) {
					t.Errorf("stopped by %s: %s", task.StopCode, *task.StoppedReason)
				}
				if code := task.Containers[0].ExitCode; test.variables["CRASH"] != "" && (code == nil || *code != 3) {
					t.Errorf("exit code %v", code)
				}
			}
		})
	}
}

func TestAFailedDeploymentRollsBackToTheLastCompleted(t *testing.T) {
	s := newStack(t)
	group := s.route("back", 1)
	first := s.define("back", image, map[string]string{"VERSION": "v1"})
	s.create("back", first, group, 1)
	s.await("back", completed)
	earlier := *s.describe("back").Deployments[0].Id

	bad := s.define("back", image, map[string]string{"CRASH": "1"})
	s.update("back", bad)
	got := s.await("back", func(s types.Service) bool {
		return completed(s) && *s.Deployments[0].TaskDefinition == first && *s.TaskDefinition == first
	})
	if id := *got.Deployments[0].Id; id != earlier {
		t.Errorf("primary after the rollback is %s, not %s", id, earlier)
	}
	if len(got.Deployments) != 2 || got.Deployments[1].RolloutState != types.DeploymentRolloutStateFailed {
		t.Errorf("the failed deployment is not told: %v", got.Deployments)
	}
	if status, body := s.get("back.example.com"); status != 200 || !strings.HasPrefix(body, "v1") {
		t.Errorf("answer after the rollback: %d %q", status, body)
	}

	s.update("back", s.define("back", image, map[string]string{"VERSION": "v3"}))
	s.await("back", func(s types.Service) bool { return completed(s) && *s.TaskDefinition != first })
}

func TestAServiceWithoutALoadBalancerCompletesOnceItsTaskRuns(t *testing.T) {
	s := newStack(t)
	s.create("worker", s.define("worker", image, nil), "", 1)
	s.await("worker", completed)
}

func TestTheDesiredCountIsFollowed(t *testing.T) {
	s := newStack(t)
	s.create("again", s.define("again", image, nil), "", 1)
	s.await("again", completed)
	must(s.ecs.UpdateService(t.Context(), &awsecs.UpdateServiceInput{Cluster: &s.cluster, Service: aws.String("again"), DesiredCount: aws.Int32(0)}))(t)
	s.await("again", func(s types.Service) bool { return s.RunningCount == 0 })
	must(s.ecs.UpdateService(t.Context(), &awsecs.UpdateServiceInput{Cluster: &s.cluster, Service: aws.String("again"), DesiredCount: aws.Int32(1)}))(t)
	s.await("again", func(s types.Service) bool { return s.RunningCount == 1 })
}

// BenchmarkTwentyEnvironments is how long it takes from forty services of a task
// each until all deployments are complete.
func BenchmarkTwentyEnvironments(b *testing.B) {
	for b.Loop() {
		s := newStack(b)
		var names []string
		for i := range int32(40) {
			name := fmt.Sprintf("env%d", i)
			group := s.route(name, i+1)
			s.create(name, s.define(name, image, nil), group, 1)
			names = append(names, name)
		}
		for _, name := range names {
			s.await(name, completed)
		}
		s.agent.Close()
	}
}
