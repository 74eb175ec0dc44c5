package rule_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/rule"
)

func start(t *testing.T) (aws.Config, *rule.Kind, kind.Resource) {
	t.Helper()
	cfg := awstest.Config(t)
	_, r := seed(t, cfg)
	return cfg, rule.FromConfig(cfg, bounds), r
}

func seed(t testing.TB, cfg aws.Config) (baseline.Balancer, kind.Resource) {
	t.Helper()
	balancer := baseline.SeedBalancer(t, cfg)
	group := balancer.AddTargetGroup(t, cfg, "pe-pr1-service1")
	return balancer, kind.Resource{
		Environment: "pr1", Name: "service1", Tags: kindtest.Tags(bounds.Prefix), Needs: map[string]string{need: *group.TargetGroupArn},
		Spec: encode(t, rule.Spec{Listener: balancer.Listener, Host: host, Paths: paths, Band: [2]int{1000, 39999}, TargetGroup: need}),
	}
}

func other(t testing.TB, cfg aws.Config) string {
	t.Helper()
	group := baseline.SeedNetwork(t, cfg).AddTargetGroup(t, cfg, "pe-pr1-other")
	return *group.TargetGroupArn
}

func invalid(t *testing.T, change func(*rule.Spec)) json.RawMessage {
	return with(t, kind.Resource{Spec: rule.Info().Example}, change).Spec
}

func with(t testing.TB, r kind.Resource, change func(*rule.Spec)) kind.Resource {
	t.Helper()
	s := spec(t, r)
	change(&s)
	r.Spec = encode(t, s)
	return r
}

func spec(t testing.TB, r kind.Resource) rule.Spec {
	t.Helper()
	s, err := kind.Decode[rule.Spec](r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func encode(t testing.TB, s rule.Spec) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func ensure(t *testing.T, k *rule.Kind, r kind.Resource) string {
	t.Helper()
	id, err := k.Ensure(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func describe(t *testing.T, cfg aws.Config, arn string) types.Rule {
	t.Helper()
	out, err := elb.NewFromConfig(awstest.Quiet(cfg)).DescribeRules(t.Context(), &elb.DescribeRulesInput{RuleArns: []string{arn}})
	if err != nil || len(out.Rules) != 1 {
		t.Fatalf("rule %s: %v, %v", arn, out, err)
	}
	return out.Rules[0]
}

// made are all rules of the environment's host, with their tags.
func made(t testing.TB, cfg aws.Config, r kind.Resource) map[string]map[string]string {
	t.Helper()
	client := elb.NewFromConfig(cfg)
	out, err := client.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: aws.String(spec(t, r).Listener)})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]string{}
	for _, one := range out.Rules {
		if len(one.Conditions) == 0 || one.Conditions[0].HostHeaderConfig.Values[0] != host {
			continue
		}
		tags, err := client.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*one.RuleArn}})
		if err != nil {
			t.Fatal(err)
		}
		found[*one.RuleArn] = map[string]string{}
		for _, tag := range tags.TagDescriptions[0].Tags {
			found[*one.RuleArn][*tag.Key] = *tag.Value
		}
	}
	return found
}

func unexported(path cmp.Path) bool {
	field, ok := path.Last().(cmp.StructField)
	return ok && field.Name() == "noSmithyDocumentSerde"
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
