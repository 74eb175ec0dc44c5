package seed

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/git"
	"previewenv/infra/local/moto"
	"previewenv/infra/local/registry"
	"previewenv/lambdas/catalog"
)

// seeded is a baseline that was made in an emulator of its own.
type seeded struct {
	Result
	clients
	options Options
}

// Seeding a baseline takes seconds, so one test makes it and its parts look at it.
func TestBaseline(t *testing.T) {
	b := makeBaseline(t)
	for name, test := range map[string]func(*testing.T, *seeded){
		"the listener answers 404 below the bands of rules":      listenerHasRules,
		"each backend is an ECS service at main":                 servicesRunMain,
		"the default frontend is main's":                         frontendIsMain,
		"the catalog is published":                               catalogIsPublished,
		"the table has its indexes, a stream and expiry":         tableIsAsDeployed,
		"each service has a build project":                       projectsAreMade,
		"secrets, registry and state machine are there":          deploymentIsThere,
		"an image of the baseline runs, calls and consumes":      imagesRun,
		"a backend ends in order, or as its faults ask":          imagesEnd,
		"the commit of an image may not be pushed anew":          tagsAreImmutable,
		"a broken buildspec command ends the build with its log": brokenBuildSaysWhy,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

func makeBaseline(t *testing.T) *seeded {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	server, err := moto.Start(t.Context(), moto.Options{Python: filepath.Join(root, ".local", "venv", "bin")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := registry.BuildCommand(t.Context(), root, bin); err != nil {
		t.Fatal(err)
	}
	repository, err := git.Seed(t.Context(), dir, filepath.Join(root, "testdata", "sample"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Config: aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String(server.URL.String()),
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		},
		Repository: repository, Images: registry.Store{Dir: filepath.Join(dir, "images")}, Bin: bin,
		BaselineURL: "http://staging.localhost:8090", Prefix: "pv", Secrets: Secrets{SlackToken: "xoxb-token", SlackSigningSecret: "sign", GitHubToken: "ghp"},
		Definition: `{"StartAt":"End","States":{"End":{"Type":"Succeed"}}}`,
	}
	result, err := Baseline(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return &seeded{result, newClients(o.Config), o}
}

func listenerHasRules(t *testing.T, b *seeded) {
	out, err := b.elb.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &b.Listener})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rule := range out.Rules {
		line := aws.ToString(rule.Priority)
		for _, condition := range rule.Conditions {
			if condition.HostHeaderConfig != nil {
				line += " " + strings.Join(condition.HostHeaderConfig.Values, " ")
			}
			if condition.PathPatternConfig != nil {
				line += " " + strings.Join(condition.PathPatternConfig.Values, " ")
			}
		}
		target := string(rule.Actions[0].Type)
		for name, arn := range b.TargetGroups {
			if aws.ToString(rule.Actions[0].TargetGroupArn) == arn {
				target = name
			}
		}
		got = append(got, line+" → "+target)
	}
	slices.Sort(got)
	want := []string{
		"1 staging.localhost /service1 /service1/* → service1",
		"2 staging.localhost /service2 /service2/* → service2",
		"40000 /service1 /service1/* → service1",
		"40001 /service2 /service2/* → service2",
		"default → fixed-response",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func servicesRunMain(t *testing.T, b *seeded) {
	out, err := b.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: &b.Cluster, Services: []string{"service1", "service2"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range out.Services {
		name := aws.ToString(service.ServiceName)
		task, err := b.ecs.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: service.TaskDefinition})
		if err != nil {
			t.Fatal(err)
		}
		container := task.TaskDefinition.ContainerDefinitions[0]
		if got, want := aws.ToString(container.Image), b.Images[name]; got != want || !strings.HasSuffix(got, ":"+b.options.Repository.Commits[git.Main]) {
			t.Errorf("%s runs %s, want %s", name, got, want)
		}
		if got := aws.ToString(service.LoadBalancers[0].TargetGroupArn); got != b.TargetGroups[name] || len(service.NetworkConfiguration.AwsvpcConfiguration.Subnets) < 2 {
			t.Errorf("%s has target group %s and network %v", name, got, service.NetworkConfiguration)
		}
		if name != "service1" {
			continue
		}
		got := map[string]string{}
		for _, pair := range container.Environment {
			got[aws.ToString(pair.Name)] = aws.ToString(pair.Value)
		}
		want := map[string]string{
			"PORT": "8080", "LOG_LEVEL": "info", "SERVICE2_HOST": "http://staging.localhost:8090", "ORDERS_QUEUE_URL": b.Queues["orders"],
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("variables (-want +got):\n%s", diff)
		}
	}
	if len(out.Services) != 2 {
		t.Errorf("there are %d services, want 2", len(out.Services))
	}
}

func frontendIsMain(t *testing.T, b *seeded) {
	out, err := b.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &b.Site})
	if err != nil {
		t.Fatal(err)
	}
	cache := map[string]string{}
	for _, object := range out.Contents {
		head, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &b.Site, Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		cache[aws.ToString(object.Key)] = aws.ToString(head.CacheControl)
	}
	page, err := b.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b.Site, Key: aws.String("default/index.html")})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(page.Body)
	if err != nil || !strings.Contains(string(text), b.options.Repository.Commits[git.Main]) || strings.Contains(string(text), "{{") {
		t.Errorf("page is %s (%v)", text, err)
	}
	if cache["default/index.html"] != "no-cache" || cache["default/version.txt"] != "no-cache" || len(cache) != 4 {
		t.Errorf("objects are %v", cache)
	}
	for key, value := range cache {
		if strings.HasPrefix(key, "default/assets/") && (!strings.Contains(value, "immutable") || !strings.Contains(string(text), strings.TrimPrefix(key, "default"))) {
			t.Errorf("%s is cached as %q or not in the page", key, value)
		}
	}
}

func catalogIsPublished(t *testing.T, b *seeded) {
	out, err := b.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(b.CatalogPath + "/settings")})
	if err != nil {
		t.Fatal(err)
	}
	var settings catalog.Settings
	if err := json.Unmarshal([]byte(aws.ToString(out.Parameter.Value)), &settings); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.CatalogContent.Settings(), &settings); diff != "" {
		t.Errorf("settings (-catalog +published):\n%s", diff)
	}
	if settings.BaseDomain != "localhost" || settings.Baseline.Listeners[0] != b.Listener {
		t.Errorf("settings are %+v", settings)
	}
}

func tableIsAsDeployed(t *testing.T, b *seeded) {
	out, err := b.dynamodb.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &b.Table})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, index := range out.Table.GlobalSecondaryIndexes {
		got = append(got, fmt.Sprintf("%s: %s, %s, %s", *index.IndexName, *index.KeySchema[0].AttributeName, *index.KeySchema[1].AttributeName, index.Projection.ProjectionType))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"commit: commit, environment, ALL", "live: live, environment, ALL"}, got); diff != "" {
		t.Errorf("indexes (-want +got):\n%s", diff)
	}
	if b.Stream == "" || aws.ToString(out.Table.LatestStreamArn) != b.Stream {
		t.Errorf("stream is %q", b.Stream)
	}
	live, err := b.dynamodb.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &b.Table})
	if err != nil || aws.ToString(live.TimeToLiveDescription.AttributeName) != "ttl" {
		t.Errorf("time to live is %v (%v)", live, err)
	}
}

func projectsAreMade(t *testing.T, b *seeded) {
	out, err := b.codebuild.BatchGetProjects(t.Context(), &codebuild.BatchGetProjectsInput{
		Names: []string{"pv-ephemeral-service1", "pv-ephemeral-service2", "pv-ephemeral-web"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, project := range out.Projects {
		line := fmt.Sprintf("%s %s %s", *project.Name, *project.Source.Buildspec, project.Artifacts.Type)
		for _, variable := range project.Environment.EnvironmentVariables {
			line += " " + *variable.Name + "=" + *variable.Value
		}
		got = append(got, line)
	}
	slices.Sort(got)
	want := []string{
		"pv-ephemeral-service1 service1/buildspec.yml NO_ARTIFACTS IMAGE_REPOSITORY=" + b.Registry + "/service1",
		"pv-ephemeral-service2 service2/buildspec.yml NO_ARTIFACTS IMAGE_REPOSITORY=" + b.Registry + "/service2",
		"pv-ephemeral-web web/buildspec.yml S3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
}

func deploymentIsThere(t *testing.T, b *seeded) {
	for arn, want := range map[string]string{b.Secrets.SlackSigningSecret: "sign", b.Secrets.SlackToken: "xoxb-token", b.Secrets.GitHubToken: "ghp"} {
		out, err := b.secret.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil || aws.ToString(out.SecretString) != want {
			t.Errorf("secret %s is %v (%v)", arn, out, err)
		}
	}
	if _, err := b.sfn.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &b.StateMachine}); err != nil {
		t.Error(err)
	}
	if b.Distribution == "" || b.VPC == "" || b.LoadBalancer == "" || b.Artifacts == "" || b.KeyValueStore == "" {
		t.Errorf("result lacks something: %+v", b.Result)
	}
}
