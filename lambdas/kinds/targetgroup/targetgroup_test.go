package targetgroup_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/targetgroup"
	"previewenv/statemachine"
)

const name = "pe-pr1-service1"

var bounds = guard.Guard{Prefix: "pe", BaseDomain: "preview.example.com"}

func TestKind(t *testing.T) {
	kindtest.Run(t, kindtest.Case{
		Info:   targetgroup.Info(),
		Prefix: bounds.Prefix,
		New:    func(cfg aws.Config) kind.Kind { return targetgroup.FromConfig(cfg, bounds) },
		Seed:   seed,
		Made:   made,
		Bounds: func(kind.Resource) kind.Bounds { return kind.Bounds{} },
		Retag: func(t testing.TB, cfg aws.Config, r kind.Resource, tags map[string]string) {
			client := elb.NewFromConfig(cfg)
			for key, value := range tags {
				if value == "" {
					_, err := client.RemoveTags(t.Context(), &elb.RemoveTagsInput{ResourceArns: []string{r.ID}, TagKeys: []string{key}})
					fatal(t, err)
					continue
				}
				_, err := client.AddTags(t.Context(), &elb.AddTagsInput{
					ResourceArns: []string{r.ID}, Tags: []types.Tag{{Key: &key, Value: &value}},
				})
				fatal(t, err)
			}
		},
		Crowd: func(t testing.TB, cfg aws.Config, _ kind.Resource) {
			network := baseline.SeedNetwork(t, cfg)
			network.AddTargetGroup(t, cfg, "a-neighbour")
			network.AddTargetGroup(t, cfg, "pex-pr1-service1-1")
		},
		Others: func(t testing.TB, cfg aws.Config, k kind.Kind, r kind.Resource) {
			if err := k.(*targetgroup.Kind).Tune(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			spec, err := kind.Decode[targetgroup.Spec](r)
			if err != nil {
				t.Fatal(err)
			}
			spec.HealthCheck.Path = "/other"
			r.Spec = encode(t, spec)
			if _, err := k.Ensure(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		},
		Invalid: map[string]json.RawMessage{"a name of the baseline": json.RawMessage(`{"name": "staging-service1"}`)},
	})
}

func TestEnsure(t *testing.T) {
	t.Run("the group has the baseline's health check, but quicker", func(t *testing.T) {
		cfg, k, r := start(t)
		ensure(t, k, r)
		got := targetgroup.Clone(group(t, cfg), name)
		var want targetgroup.Spec
		if err := json.Unmarshal(r.Spec, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a health check that was changed by hand is repaired by one call", func(t *testing.T) {
		cfg, k, r := start(t)
		id := ensure(t, k, r)
		if _, err := elb.NewFromConfig(awstest.Quiet(cfg)).ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{
			TargetGroupArn: &id, HealthCheckPath: aws.String("/by-hand"),
		}); err != nil {
			t.Fatal(err)
		}
		awstest.Forget(t)
		if again := ensure(t, k, r); again != id {
			t.Errorf("id = %q, want %q", again, id)
		}
		if got := aws.ToString(group(t, cfg).HealthCheckPath); got != "/service1/health" {
			t.Errorf("path = %q, want the specification's", got)
		}
		want := []string{"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTags", "elasticloadbalancing:ModifyTargetGroup"}
		if diff := cmp.Diff(want, awstest.Calls(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a group that the look does not see yet is looked for again", func(t *testing.T) {
		_, k, r := start(t)
		id := ensure(t, k, r)
		awstest.Fail(t, "elasticloadbalancing:DescribeTargetGroups", &types.TargetGroupNotFoundException{})
		if _, err := k.Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrUnavailable) {
			t.Errorf("Ensure = %v, want Unavailable", err)
		}
		if got := ensure(t, k, r); got != id {
			t.Errorf("then it is %s, want %s", got, id)
		}
	})
	t.Run("a full account is a fault that says what to do", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "elasticloadbalancing:CreateTargetGroup", &types.TooManyTargetGroupsException{})
		_, err := k.Ensure(t.Context(), r)
		if f := fault.As(err); f == nil || f.Name != statemachine.ErrNoRoom || f.Next == "" {
			t.Errorf("Ensure = %v, want NoRoom with a next step", err)
		}
	})
}

func TestTune(t *testing.T) {
	cfg, k, r := start(t)
	id := ensure(t, k, r)
	for range 2 {
		if err := k.Tune(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	var changes int
	for _, call := range awstest.Calls(t) {
		if call == "elasticloadbalancing:ModifyTargetGroupAttributes" {
			changes++
		}
	}
	if changes != 1 {
		t.Errorf("%d calls set the attribute, want one", changes)
	}
	got, err := elb.NewFromConfig(awstest.Quiet(cfg)).DescribeTargetGroupAttributes(t.Context(),
		&elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &id})
	if err != nil {
		t.Fatal(err)
	}
	for _, attribute := range got.Attributes {
		if *attribute.Key == "deregistration_delay.timeout_seconds" && *attribute.Value != "5" {
			t.Errorf("%s = %s, want 5", *attribute.Key, *attribute.Value)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Run("a group that a rule forwards to is not yet to be removed", func(t *testing.T) {
		cfg, k, r := start(t)
		balancer := baseline.SeedBalancer(t, cfg)
		id := ensure(t, k, r)
		rule := balancer.AddRule(t, cfg, 1000, "pr1.preview.example.com", []string{"/service1"}, id)
		if err := k.Remove(t.Context(), r); !fault.Is(err, statemachine.ErrNotYet) {
			t.Fatalf("Remove = %v, want NotYet", err)
		}
		if _, err := elb.NewFromConfig(cfg).DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: &rule}); err != nil {
			t.Fatal(err)
		}
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a group that a describe call does not see yet goes by the ledger's id", func(t *testing.T) {
		cfg, k, r := start(t)
		r.ID = ensure(t, k, r)
		awstest.Fail(t, "elasticloadbalancing:DescribeTargetGroups", &types.TargetGroupNotFoundException{})
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if present, err := targetgroup.FromConfig(cfg, bounds).Verify(t.Context(), r); present || err != nil {
			t.Errorf("Verify = %v, %v; want it gone", present, err)
		}
	})
	t.Run("an id of another group is of no account", func(t *testing.T) {
		cfg, k, r := start(t)
		r.ID = *baseline.SeedNetwork(t, cfg).AddTargetGroup(t, cfg, "staging-orders").TargetGroupArn
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := elb.NewFromConfig(cfg).DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{r.ID}}); err != nil {
			t.Errorf("the other group: %v", err)
		}
	})
	t.Run("a group that goes meanwhile is gone", func(t *testing.T) {
		_, k, r := start(t)
		ensure(t, k, r)
		awstest.Fail(t, "elasticloadbalancing:DeleteTargetGroup", &types.TargetGroupNotFoundException{})
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClone(t *testing.T) {
	base := types.TargetGroup{
		TargetGroupName: aws.String("service1"), Protocol: types.ProtocolEnumHttp, ProtocolVersion: aws.String("HTTP1"), Port: aws.Int32(80),
		VpcId: aws.String("vpc-1"), TargetType: types.TargetTypeEnumIp, HealthCheckProtocol: types.ProtocolEnumHttp,
		HealthCheckPort: aws.String("traffic-port"), HealthCheckPath: aws.String("/health"), HealthCheckIntervalSeconds: aws.Int32(30),
		HealthCheckTimeoutSeconds: aws.Int32(6), HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(4),
		Matcher: &types.Matcher{HttpCode: aws.String("200")},
	}
	cloned := targetgroup.Spec{
		Name: name, Protocol: "HTTP", ProtocolVersion: "HTTP1", Port: 80, VPC: "vpc-1", TargetType: "ip",
		HealthCheck: targetgroup.HealthCheck{
			Protocol: "HTTP", Port: "traffic-port", Path: "/health", Matcher: "200",
			IntervalSeconds: 7, TimeoutSeconds: 6, HealthyThreshold: 2, UnhealthyThreshold: 4,
		},
	}
	tests := map[string]struct {
		base func(*types.TargetGroup)
		want func(*targetgroup.Spec)
	}{
		"checks are as frequent as their timeout allows": {func(*types.TargetGroup) {}, func(*targetgroup.Spec) {}},
		"a short timeout allows the shortest interval": {func(g *types.TargetGroup) { g.HealthCheckTimeoutSeconds = aws.Int32(2) }, func(s *targetgroup.Spec) {
			s.HealthCheck.TimeoutSeconds, s.HealthCheck.IntervalSeconds = 2, 5
		}},
		"a check that takes long there may take long here": {func(g *types.TargetGroup) { g.HealthCheckTimeoutSeconds = aws.Int32(120) }, func(s *targetgroup.Spec) {
			s.HealthCheck.TimeoutSeconds, s.HealthCheck.IntervalSeconds = 120, 121
		}},
		"no timeout is just below the interval": {func(g *types.TargetGroup) { g.HealthCheckTimeoutSeconds = nil }, func(s *targetgroup.Spec) {
			s.HealthCheck.TimeoutSeconds, s.HealthCheck.IntervalSeconds = 4, 5
		}},
		"patience is at least two failures": {func(g *types.TargetGroup) { g.UnhealthyThresholdCount = nil }, func(s *targetgroup.Spec) { s.HealthCheck.UnhealthyThreshold = 2 }},
		"a gRPC group keeps its gRPC codes": {func(g *types.TargetGroup) {
			g.ProtocolVersion, g.Matcher = aws.String("GRPC"), &types.Matcher{GrpcCode: aws.String("12")}
		}, func(s *targetgroup.Spec) { s.ProtocolVersion, s.HealthCheck.Matcher = "GRPC", "12" }},
		"a TCP check has neither path nor code": {func(g *types.TargetGroup) { g.HealthCheckPath, g.Matcher = nil, nil }, func(s *targetgroup.Spec) { s.HealthCheck.Path, s.HealthCheck.Matcher = "", "" }},
	}
	for rule, test := range tests {
		t.Run(rule, func(t *testing.T) {
			in, want := base, cloned
			test.base(&in)
			test.want(&want)
			if diff := cmp.Diff(want, targetgroup.Clone(in, name)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExampleIsASpec(t *testing.T) {
	if _, err := kind.Decode[targetgroup.Spec](kind.Resource{Spec: targetgroup.Info().Example}); err != nil {
		t.Error(err)
	}
}

func start(t *testing.T) (aws.Config, *targetgroup.Kind, kind.Resource) {
	t.Helper()
	cfg := awstest.Config(t)
	return cfg, targetgroup.FromConfig(cfg, bounds), seed(t, cfg)
}

func seed(t testing.TB, cfg aws.Config) kind.Resource {
	t.Helper()
	shared := baseline.SeedNetwork(t, cfg).AddTargetGroup(t, cfg, "staging-service1")
	return kind.Resource{Environment: "pr1", Name: "service1", Spec: encode(t, targetgroup.Clone(shared, name)), Tags: kindtest.Tags(bounds.Prefix)}
}

func encode(t testing.TB, spec targetgroup.Spec) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func ensure(t *testing.T, k *targetgroup.Kind, r kind.Resource) string {
	t.Helper()
	id, err := k.Ensure(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func group(t *testing.T, cfg aws.Config) types.TargetGroup {
	t.Helper()
	out, err := elb.NewFromConfig(awstest.Quiet(cfg)).DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{Names: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	return out.TargetGroups[0]
}

func made(t testing.TB, cfg aws.Config, _ kind.Resource) map[string]map[string]string {
	t.Helper()
	client := elb.NewFromConfig(cfg)
	groups, err := client.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]string{}
	for _, group := range groups.TargetGroups {
		if *group.TargetGroupName != name {
			continue
		}
		tags, err := client.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*group.TargetGroupArn}})
		if err != nil {
			t.Fatal(err)
		}
		found[*group.TargetGroupArn] = map[string]string{}
		for _, tag := range tags.TagDescriptions[0].Tags {
			found[*group.TargetGroupArn][*tag.Key] = *tag.Value
		}
	}
	return found
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
