package service_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/service"
	"previewenv/statemachine"
)

const (
	name = "pe-pr1-service1-1"
	need = "targetgroup/service1"
)

var bounds = guard.Guard{Prefix: "pe", BaseDomain: "preview.example.com"}

func TestKind(t *testing.T) {
	kindtest.Run(t, kindtest.Case{
		Info:   service.Info(),
		New:    func(cfg aws.Config) kind.Kind { return service.FromConfig(cfg, bounds) },
		Seed:   seed,
		Made:   made,
		Crowd:  crowd,
		Bounds: func(kind.Resource) kind.Bounds { return kind.Bounds{Cluster: baseline.Cluster} },
		Untag: func(t testing.TB, cfg aws.Config, r kind.Resource) {
			if _, err := ecs.NewFromConfig(cfg).UntagResource(t.Context(), &ecs.UntagResourceInput{
				ResourceArn: &r.ID, TagKeys: []string{kind.TagManagedBy, kind.TagEnvironment},
			}); err != nil {
				t.Fatal(err)
			}
		},
		Others: func(t testing.TB, cfg aws.Config, k kind.Kind, r kind.Resource) {
			task := runTask(t, awstest.Quiet(cfg))
			write(t, awstest.Quiet(cfg), task, []string{"starting"})
			late := k.(*service.Kind)
			late.Now = func() time.Time { return time.Now().Add(time.Hour) }
			if err := late.Healthy(t.Context(), r); !fault.Is(err, statemachine.ErrUnhealthy) {
				t.Fatalf("Healthy = %v, want Unhealthy", err)
			}
			r.Spec = changed(t, r, "registry/service1:next").Spec
			if _, err := k.Ensure(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		},
		Invalid: map[string]json.RawMessage{
			"a name of the baseline": invalid(t, func(s *service.Spec) { s.Name = "staging-service1" }),
			"another family":         invalid(t, func(s *service.Spec) { s.TaskDefinition.Family = aws.String("pe-pr2-service1-1") }),
		},
	})
}

func TestEnsure(t *testing.T) {
	t.Run("a specification without a target group is refused", func(t *testing.T) {
		cfg := awstest.Config(t)
		r := seed(t, awstest.Quiet(cfg))
		r.Spec = invalid(t, func(s *service.Spec) { s.Service.LoadBalancers = nil })
		if id, err := service.FromConfig(cfg, bounds).Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrInternal) {
			t.Errorf("Ensure = %q, %v, want a fault named %s", id, err, statemachine.ErrInternal)
		}
	})
	t.Run("a first ensure makes two changes, an unchanged one none", func(t *testing.T) {
		_, k, r := start(t)
		ensure(t, k, r)
		if diff := cmp.Diff([]string{"ecs:RegisterTaskDefinition", "ecs:CreateService"}, changes(t)); diff != "" {
			t.Error(diff)
		}
		awstest.Forget(t)
		ensure(t, k, r)
		if got := changes(t); len(got) > 0 {
			t.Errorf("changes = %v, want none", got)
		}
	})
	t.Run("a new commit makes two, and going back to the old one makes one", func(t *testing.T) {
		cfg, k, r := start(t)
		ensure(t, k, r)
		first := describe(t, cfg).TaskDefinition
		awstest.Forget(t)
		ensure(t, k, changed(t, r, "registry/service1:next"))
		if diff := cmp.Diff([]string{"ecs:RegisterTaskDefinition", "ecs:UpdateService"}, changes(t)); diff != "" {
			t.Error(diff)
		}
		awstest.Forget(t)
		ensure(t, k, r)
		if diff := cmp.Diff([]string{"ecs:UpdateService"}, changes(t)); diff != "" {
			t.Error(diff)
		}
		if got := describe(t, cfg).TaskDefinition; *got != *first {
			t.Errorf("task definition = %s, want %s again", *got, *first)
		}
	})
	t.Run("where ECS does not see the new rule yet, it is tried again", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "ecs:CreateService", &types.InvalidParameterException{
			Message: aws.String("The target group with targetGroupArn arn:x does not have an associated load balancer."),
		})
		if id, err := k.Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrNotYet) {
			t.Errorf("Ensure = %q, %v, want a fault named %s", id, err, statemachine.ErrNotYet)
		}
		ensure(t, k, r)
	})
	t.Run("another refusal of its parameters is not tried again", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "ecs:CreateService", &types.InvalidParameterException{Message: aws.String("The container web does not exist.")})
		if id, err := k.Ensure(t.Context(), r); err == nil || fault.Is(err, statemachine.ErrNotYet) {
			t.Errorf("Ensure = %q, %v", id, err)
		}
	})
	t.Run("a function that died after registering registers nothing again", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "ecs:CreateService", &types.ServerException{})
		if _, err := k.Ensure(t.Context(), r); err == nil {
			t.Fatal("Ensure passed over a failed creation")
		}
		awstest.Forget(t)
		ensure(t, k, r)
		if diff := cmp.Diff([]string{"ecs:CreateService"}, changes(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the URL of a queue stands in its variable, and the target group in the service", func(t *testing.T) {
		cfg, k, r := start(t)
		spec, err := kind.Decode[service.Spec](r)
		if err != nil {
			t.Fatal(err)
		}
		spec.QueueVariables = map[string]string{"ORDERS_QUEUE_URL": "queue/orders"}
		r.Spec, r.Needs["queue/orders"] = encode(t, spec), "https://sqs/orders"
		ensure(t, k, r)
		made := describe(t, cfg)
		if got := *made.LoadBalancers[0].TargetGroupArn; got != r.Needs[need] {
			t.Errorf("target group = %s, want %s", got, r.Needs[need])
		}
		definition, err := ecs.NewFromConfig(awstest.Quiet(cfg)).DescribeTaskDefinition(t.Context(),
			&ecs.DescribeTaskDefinitionInput{TaskDefinition: made.TaskDefinition})
		if err != nil {
			t.Fatal(err)
		}
		environment := definition.TaskDefinition.ContainerDefinitions[0].Environment
		if !slices.ContainsFunc(environment, func(v types.KeyValuePair) bool {
			return *v.Name == "ORDERS_QUEUE_URL" && *v.Value == "https://sqs/orders"
		}) {
			t.Errorf("environment = %v, want the queue's URL in it", environment)
		}
	})
	for rule, test := range map[string]struct {
		group string
		want  string
	}{
		"a target group that is not there is a fault":         {"", statemachine.ErrInternal},
		"a target group of the baseline is refused":           {"arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/staging-service1/1", statemachine.ErrForbidden},
		"a need that is no target group is a fault":           {"https://sqs/orders", statemachine.ErrInternal},
		"a target group of another installation is not taken": {"arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/pex-service1/1", statemachine.ErrForbidden},
	} {
		t.Run(rule, func(t *testing.T) {
			_, k, r := start(t)
			r.Needs[need] = test.group
			if _, err := k.Ensure(t.Context(), r); !fault.Is(err, test.want) {
				t.Errorf("Ensure = %v, want %s", err, test.want)
			}
			if got := changes(t); len(got) > 0 {
				t.Errorf("changes = %v, want none", got)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Run("more revisions than one call takes are all deleted", func(t *testing.T) {
		cfg, k, r := start(t)
		for i := range 13 {
			ensure(t, k, changed(t, r, "registry/service1:"+strconv.Itoa(i)))
		}
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		for _, status := range []types.TaskDefinitionStatus{types.TaskDefinitionStatusActive, types.TaskDefinitionStatusInactive} {
			if left := revisions(t, cfg, status); len(left) > 0 {
				t.Errorf("%s revisions left: %v", status, left)
			}
		}
	})
	t.Run("revisions that an earlier run only deregistered are deleted", func(t *testing.T) {
		cfg, k, r := start(t)
		ensure(t, k, r)
		awstest.Fail(t, "ecs:DeleteTaskDefinitions", &types.ServerException{})
		if err := k.Remove(t.Context(), r); err == nil {
			t.Fatal("Remove passed over a failed deletion")
		}
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if left := revisions(t, cfg, types.TaskDefinitionStatusInactive); len(left) > 0 {
			t.Errorf("revisions left: %v", left)
		}
	})
	for rule, err := range map[string]error{
		"a service that AWS no longer calls active is gone": &types.ServiceNotActiveException{},
		"a service whose cluster is gone is gone":           &types.ClusterNotFoundException{},
	} {
		t.Run(rule, func(t *testing.T) {
			_, k, r := start(t)
			awstest.Fail(t, "ecs:DeleteService", err)
			if err := k.Remove(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestHealthy(t *testing.T) {
	t.Run("a service that is not there yet may still come", func(t *testing.T) {
		_, k, r := start(t)
		if err := k.Healthy(t.Context(), r); !fault.Is(err, statemachine.ErrNotYet) {
			t.Errorf("Healthy = %v, want NotYet", err)
		}
	})
	t.Run("a deployment that is too slow says what was probed and what the task said last", func(t *testing.T) {
		cfg, k, r := start(t)
		ensure(t, k, r)
		if err := k.Healthy(t.Context(), r); !fault.Is(err, statemachine.ErrNotYet) {
			t.Errorf("Healthy at once = %v, want NotYet", err)
		}
		task := runTask(t, cfg)
		var lines []string
		for i := range 25 {
			lines = append(lines, "line "+strconv.Itoa(i))
		}
		write(t, cfg, task, lines)
		k.Now = func() time.Time { return time.Now().Add(6 * time.Minute) }
		err := k.Healthy(t.Context(), r)
		got := fault.As(err)
		if got == nil || got.Name != statemachine.ErrUnhealthy {
			t.Fatalf("Healthy = %v, want Unhealthy", err)
		}
		want := "service1 is unhealthy: it was not healthy within 5 minutes. Probed: HTTP /service1/health on port 8080, expecting 200-299."
		if got.What != want || got.Service != "service1" || got.Next == "" {
			t.Errorf("fault = %+v, want %q of service1 with a next step", got, want)
		}
		if diff := cmp.Diff(lines[5:], splitLines(got.Tail)); diff != "" {
			t.Error(diff)
		}
		const console = "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/" +
			"$252Fstaging$252Fservice1/log-events/service1$252Fapp$252F"
		if got.Log != console+task {
			t.Errorf("log = %s, want %s", got.Log, console+task)
		}
	})
	t.Run("a task that never wrote a log is no error", func(t *testing.T) {
		cfg, k, r := start(t)
		ensure(t, k, r)
		runTask(t, cfg)
		k.Now = func() time.Time { return time.Now().Add(6 * time.Minute) }
		if f := fault.As(k.Healthy(t.Context(), r)); f == nil || f.Name != statemachine.ErrUnhealthy || f.Tail != "" {
			t.Errorf("fault = %+v, want Unhealthy without a tail", f)
		}
	})
}

// write is what the awslogs driver would have.
func write(t testing.TB, cfg aws.Config, task string, lines []string) {
	t.Helper()
	client := cloudwatchlogs.NewFromConfig(awstest.Quiet(cfg))
	group, stream := aws.String("/staging/service1"), aws.String("service1/app/"+task)
	if _, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
		t.Fatal(err)
	}
	var events []logtypes.InputLogEvent
	for i, line := range lines {
		events = append(events, logtypes.InputLogEvent{
			Message: aws.String(line + "\n"), Timestamp: aws.Int64(time.Now().Add(-time.Minute).UnixMilli() + int64(i)),
		})
	}
	if _, err := client.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: group, LogStreamName: stream, LogEvents: events,
	}); err != nil {
		t.Fatal(err)
	}
}
