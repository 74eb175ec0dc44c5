package service_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/service"
)

func start(t *testing.T) (aws.Config, *service.Kind, kind.Resource) {
	t.Helper()
	cfg := awstest.Config(t)
	return cfg, service.FromConfig(cfg, bounds), seed(t, cfg)
}

func seed(t testing.TB, cfg aws.Config) kind.Resource {
	t.Helper()
	shared := baseline.SeedShared(t, cfg)
	group := *shared.AddTargetGroup(t, cfg, "pe-pr1-service1-1").TargetGroupArn
	// AWS lets no service join a target group without a load balancer.
	shared.AddRule(t, cfg, 1000, "pr1.preview.example.com", []string{"/service1"}, group)
	spec, err := service.Clone(shared.Service, shared.TaskDefinition, service.Override{
		Name: name, Image: "registry/service1:abc", TargetGroup: need, Variables: map[string]string{"LOG_LEVEL": "debug"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return kind.Resource{
		Environment: "pr1", Name: "service1", Spec: encode(t, spec), Needs: map[string]string{need: group},
		Tags: kindtest.Tags(bounds.Prefix),
	}
}

// crowd makes a family and a service whose names begin as ours do.
func crowd(t testing.TB, cfg aws.Config, r kind.Resource) {
	t.Helper()
	client := ecs.NewFromConfig(cfg)
	for range 2 {
		if _, err := client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: aws.String(name + "1"), ContainerDefinitions: []types.ContainerDefinition{{
				Name: aws.String("app"), Image: aws.String("other"), Memory: aws.Int32(64),
			}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	// An older revision of ours, so that what is wanted is not on the first page.
	k := service.FromConfig(cfg, bounds)
	if _, err := k.Ensure(t.Context(), changed(t, r, "registry/service1:older")); err != nil {
		t.Fatal(err)
	}
}

func changed(t testing.TB, r kind.Resource, image string) kind.Resource {
	t.Helper()
	spec, err := kind.Decode[service.Spec](r)
	if err != nil {
		t.Fatal(err)
	}
	spec.TaskDefinition.ContainerDefinitions[0].Image = &image
	r.Spec = encode(t, spec)
	return r
}

func invalid(t *testing.T, change func(*service.Spec)) json.RawMessage {
	t.Helper()
	spec, err := kind.Decode[service.Spec](kind.Resource{Spec: service.Info().Example})
	if err != nil {
		t.Fatal(err)
	}
	change(&spec)
	return encode(t, spec)
}

func ensure(t *testing.T, k *service.Kind, r kind.Resource) string {
	t.Helper()
	id, err := k.Ensure(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// changes are the recorded calls that change something.
func changes(t *testing.T) []string {
	var found []string
	for _, call := range awstest.Calls(t) {
		if !strings.Contains(call, ":Describe") && !strings.Contains(call, ":List") {
			found = append(found, call)
		}
	}
	return found
}

func describe(t testing.TB, cfg aws.Config) types.Service {
	t.Helper()
	out, err := ecs.NewFromConfig(awstest.Quiet(cfg)).DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String(baseline.Cluster), Services: []string{name},
	})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("describe service: %v, %v", out, err)
	}
	return out.Services[0]
}

func revisions(t testing.TB, cfg aws.Config, status types.TaskDefinitionStatus) []string {
	t.Helper()
	out, err := ecs.NewFromConfig(awstest.Quiet(cfg)).ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{
		FamilyPrefix: aws.String(name), Status: status,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.TaskDefinitionArns
}

// runTask starts a task of the service as ECS would, and returns its id.
func runTask(t testing.TB, cfg aws.Config) string {
	t.Helper()
	made := describe(t, cfg)
	out, err := ecs.NewFromConfig(awstest.Quiet(cfg)).RunTask(t.Context(), &ecs.RunTaskInput{
		Cluster: aws.String(baseline.Cluster), TaskDefinition: made.TaskDefinition, LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: made.NetworkConfiguration, Group: aws.String("service:" + name), Count: aws.Int32(1),
	})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("run task: %v, %v", out, err)
	}
	arn := *out.Tasks[0].TaskArn
	return arn[strings.LastIndex(arn, "/")+1:]
}

// made are the live service and the active revisions of the family, with their tags.
func made(t testing.TB, cfg aws.Config, _ kind.Resource) map[string]map[string]string {
	t.Helper()
	client := ecs.NewFromConfig(cfg)
	found := map[string]map[string]string{}
	add := func(arn string, tags []types.Tag) {
		found[arn] = map[string]string{}
		for _, tag := range tags {
			found[arn][*tag.Key] = *tag.Value
		}
	}
	services, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String(baseline.Cluster), Services: []string{name}, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range services.Services {
		if *one.Status == "ACTIVE" {
			add(*one.ServiceArn, one.Tags)
		}
	}
	for _, arn := range revisions(t, cfg, types.TaskDefinitionStatusActive) {
		out, err := client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{
			TaskDefinition: &arn, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
		})
		if err != nil {
			t.Fatal(err)
		}
		add(arn, out.Tags)
	}
	return found
}

func splitLines(text string) []string { return strings.Split(text, "\n") }

// retag gives the service and the revisions of its family other tags.
func retag(t testing.TB, cfg aws.Config, r kind.Resource, tags map[string]string) {
	t.Helper()
	client := ecs.NewFromConfig(cfg)
	for _, arn := range append(revisions(t, cfg, types.TaskDefinitionStatusActive), r.ID) {
		for key, value := range tags {
			var err error
			if value == "" {
				_, err = client.UntagResource(t.Context(), &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{key}})
			} else {
				_, err = client.TagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: &key, Value: &value}}})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
