package rule_test

import (
	"encoding/json"
	"slices"
	"strings"
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
	"previewenv/lambdas/kinds/rule"
	"previewenv/statemachine"
)

const (
	host = "pr1.preview.example.com"
	need = "targetgroup/service1"
)

var (
	bounds = guard.Guard{Prefix: "pe", BaseDomain: "preview.example.com"}
	paths  = []string{"/service1", "/service1/*"}
)

func TestKind(t *testing.T) {
	kindtest.Run(t, kindtest.Case{
		Info:   rule.Info(),
		Prefix: bounds.Prefix,
		New:    func(cfg aws.Config) kind.Kind { return rule.FromConfig(cfg, bounds) },
		Seed: func(t testing.TB, cfg aws.Config) kind.Resource {
			_, r := seed(t, cfg)
			return r
		},
		Made: made,
		Bounds: func(r kind.Resource) kind.Bounds {
			s := spec(t, r)
			return kind.Bounds{Listeners: []string{s.Listener}, Band: s.Band}
		},
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
		Crowd: func(t testing.TB, cfg aws.Config, r kind.Resource) {
			balancer := baseline.Balancer{Listener: spec(t, r).Listener}
			for i, other := range []string{"pr2.preview.example.com", "pr11.preview.example.com", "r1.preview.example.com"} {
				balancer.AddRule(t, cfg, int32(2000+i), other, paths, r.Needs[need])
			}
		},
		Others: func(t testing.TB, cfg aws.Config, k kind.Kind, r kind.Resource) {
			r.Needs = map[string]string{need: other(t, cfg)}
			if _, err := k.Ensure(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		},
		Invalid: map[string]json.RawMessage{
			"the baseline's host":      invalid(t, func(s *rule.Spec) { s.Host = baseline.Host }),
			"another environment":      invalid(t, func(s *rule.Spec) { s.Host = "pr2.preview.example.com" }),
			"every path":               invalid(t, func(s *rule.Spec) { s.Paths = []string{"/*"} }),
			"too many paths":           invalid(t, func(s *rule.Spec) { s.Paths = []string{"/a", "/b", "/c", "/d", "/e"} }),
			"no path":                  invalid(t, func(s *rule.Spec) { s.Paths = nil }),
			"a band that does not fit": invalid(t, func(s *rule.Spec) { s.Band = [2]int{1000, 60000} }),
		},
	})
}

func TestEnsure(t *testing.T) {
	t.Run("host and paths are forwarded to the target group, inside the band", func(t *testing.T) {
		cfg, k, r := start(t)
		got := describe(t, cfg, ensure(t, k, r))
		want := []types.RuleCondition{
			{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{host}}},
			{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: paths}},
		}
		if diff := cmp.Diff(want, got.Conditions, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
			t.Error(diff)
		}
		if target := aws.ToString(got.Actions[0].TargetGroupArn); target != r.Needs[need] {
			t.Errorf("target group = %q, want %q", target, r.Needs[need])
		}
	})
	t.Run("a rule that forwards elsewhere is pointed back", func(t *testing.T) {
		cfg, k, r := start(t)
		id := ensure(t, k, r)
		r.Needs = map[string]string{need: other(t, cfg)}
		if again := ensure(t, k, r); again != id {
			t.Errorf("id = %q, want %q", again, id)
		}
		if target := aws.ToString(describe(t, cfg, id).Actions[0].TargetGroupArn); target != r.Needs[need] {
			t.Errorf("target group = %q, want %q", target, r.Needs[need])
		}
	})
	t.Run("paths that become more specific get a lower number, and the old rule goes", func(t *testing.T) {
		cfg, k, r := start(t)
		r.ID = ensure(t, k, r)
		before := describe(t, cfg, r.ID)
		r = with(t, r, func(s *rule.Spec) { s.Paths = []string{"/service1/administration/*"} })
		after := describe(t, cfg, ensure(t, k, r))
		if len(aws.ToString(after.Priority)) > len(aws.ToString(before.Priority)) || aws.ToString(after.Priority) >= aws.ToString(before.Priority) {
			t.Errorf("priority = %s after %s, want a lower one", *after.Priority, *before.Priority)
		}
		if found := made(t, awstest.Quiet(cfg), r); len(found) != 1 {
			t.Errorf("rules = %v, want one", found)
		}
	})
	t.Run("paths of the same length are changed in place", func(t *testing.T) {
		_, k, r := start(t)
		r.ID = ensure(t, k, r)
		r = with(t, r, func(s *rule.Spec) { s.Paths = []string{"/service2", "/service2/*"} })
		if again := ensure(t, k, r); again != r.ID {
			t.Errorf("id = %q, want %q", again, r.ID)
		}
	})
	t.Run("a number that another execution takes first is left to it", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "elasticloadbalancing:CreateRule", &types.PriorityInUseException{}, &types.PriorityInUseException{})
		ensure(t, k, r)
	})
	t.Run("a race without end is to be tried again later", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "elasticloadbalancing:CreateRule", slices.Repeat([]error{&types.PriorityInUseException{}}, 20)...)
		if _, err := k.Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrUnavailable) {
			t.Errorf("Ensure = %v, want Unavailable", err)
		}
	})
	t.Run("a full band is a fault that names it", func(t *testing.T) {
		cfg, k, r := start(t)
		r = with(t, r, func(s *rule.Spec) { s.Band = [2]int{2000, 2000} })
		balancer := baseline.Balancer{Listener: spec(t, r).Listener}
		balancer.AddRule(t, cfg, 2000, "pr2.preview.example.com", paths, r.Needs[need])
		_, err := k.Ensure(t.Context(), r)
		want := "No priority is free for the paths [/service1 /service1/*] in the band 2000 to 2000 of the listener."
		if f := fault.As(err); f == nil || f.Name != statemachine.ErrNoRoom || f.What != want || f.Next == "" {
			t.Errorf("Ensure = %v, want NoRoom: %s", err, want)
		}
	})
	t.Run("a full load balancer is a fault with a next step", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "elasticloadbalancing:CreateRule", &types.TooManyRulesException{})
		_, err := k.Ensure(t.Context(), r)
		if f := fault.As(err); f == nil || f.Name != statemachine.ErrNoRoom || f.Next == "" {
			t.Errorf("Ensure = %v, want NoRoom with a next step", err)
		}
	})
	t.Run("a load balancer with 100 target groups is a fault with a next step", func(t *testing.T) {
		_, k, r := start(t)
		awstest.Fail(t, "elasticloadbalancing:CreateRule", &types.TooManyUniqueTargetGroupsPerLoadBalancerException{})
		_, err := k.Ensure(t.Context(), r)
		if f := fault.As(err); f == nil || f.Name != statemachine.ErrNoRoom || !strings.Contains(f.What, "target group") || f.Next == "" {
			t.Errorf("Ensure = %v, want NoRoom of target groups with a next step", err)
		}
	})
	t.Run("a target group that is not there yet is a fault", func(t *testing.T) {
		_, k, r := start(t)
		r.Needs = nil
		if _, err := k.Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrInternal) {
			t.Errorf("Ensure = %v, want Internal", err)
		}
	})
}

func TestATargetGroupOfTheBaselineIsRefused(t *testing.T) {
	cfg, k, r := start(t)
	r.Needs = map[string]string{need: *baseline.SeedNetwork(t, cfg).AddTargetGroup(t, cfg, "staging-orders").TargetGroupArn}
	if _, err := k.Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrForbidden) {
		t.Errorf("Ensure = %v, want Forbidden", err)
	}
}

func TestForeignRulesAreNeverTouched(t *testing.T) {
	cfg, k, r := start(t)
	balancer := baseline.Balancer{Listener: spec(t, r).Listener}
	foreign := map[string]string{
		"another host":     balancer.AddRule(t, cfg, 1500, baseline.Host, []string{"/orders"}, r.Needs[need]),
		"outside the band": balancer.AddRule(t, cfg, 20, host, paths, r.Needs[need]),
	}
	for name, arn := range foreign {
		t.Run("the row's id is of a rule of "+name, func(t *testing.T) {
			r := r
			r.ID = arn
			if err := k.Remove(t.Context(), r); !fault.Is(err, statemachine.ErrForbidden) {
				t.Errorf("Remove = %v, want Forbidden", err)
			}
			if _, err := k.Ensure(t.Context(), r); !fault.Is(err, statemachine.ErrForbidden) {
				t.Errorf("Ensure = %v, want Forbidden", err)
			}
			describe(t, cfg, arn)
		})
	}
}

func TestRemoveWhereTheListenerIsGone(t *testing.T) {
	cfg, k, r := start(t)
	listener := spec(t, r).Listener
	if _, err := elb.NewFromConfig(cfg).DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: &listener}); err != nil {
		t.Fatal(err)
	}
	if err := k.Remove(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func TestRemoveOfARuleThatTheListDoesNotShowYet(t *testing.T) {
	_, k, r := start(t)
	var err error
	if r.ID, err = k.Ensure(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	// A list without the rule: that of a listener which is not seen either.
	awstest.Fail(t, "elasticloadbalancing:DescribeRules", &types.ListenerNotFoundException{})
	if err := k.Remove(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if present, err := k.Verify(t.Context(), r); present || err != nil {
		t.Errorf("Verify = %v, %v; want it gone", present, err)
	}
}

func TestExampleIsASpec(t *testing.T) {
	spec(t, kind.Resource{Spec: rule.Info().Example})
}
