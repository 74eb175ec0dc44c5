package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/edge"
	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
)

func TestAFunctionsEnvironmentIsWhatItsConfigurationLoads(t *testing.T) {
	for _, r := range control(t).of("AWS::Lambda::Function") {
		name := strings.TrimPrefix(text(r.at("FunctionName")), "pv-")
		c, ok := configurations[name]
		if !ok {
			c = config.Resource{}
		}
		set, _ := r.at("Environment", "Variables").(map[string]any)
		known := map[string]bool{}
		for _, v := range loaded(reflect.TypeOf(c)) {
			known[v.name] = true
			if _, there := set[v.name]; v.required && !there {
				t.Errorf("%s lacks %s", name, v.name)
			}
		}
		for variable := range set {
			if !known[variable] {
				t.Errorf("%s has %s, which it does not load", name, variable)
			}
		}
		if text(r.at("Runtime")) != "provided.al2023" || text(r.at("Architectures")) != "arm64" {
			t.Errorf("%s runs on %s, %s", name, text(r.at("Runtime")), text(r.at("Architectures")))
		}
	}
}

func TestASecretIsInTheTemplateByItsNameAlone(t *testing.T) {
	for name, stack := range ours {
		if n := len(stack.of("AWS::SecretsManager::Secret")); n > 0 {
			t.Errorf("%s makes %d secrets, whose values would have to come from somewhere", name, n)
		}
		for id, r := range stack.Resources {
			if strings.Contains(text(map[string]any(r.Properties)), "{{resolve:secretsmanager") {
				t.Errorf("%s puts a secret's value into %s", name, id)
			}
		}
	}
}

func TestTheMachineLogsEverythingButData(t *testing.T) {
	for _, r := range control(t).of("AWS::StepFunctions::StateMachine") {
		if r.at("LoggingConfiguration", "Level") != "ALL" || r.at("LoggingConfiguration", "IncludeExecutionData") != false {
			t.Errorf("logs = %v", r.at("LoggingConfiguration"))
		}
		if r.at("TracingConfiguration", "Enabled") != true {
			t.Error("executions are not traced")
		}
		if unfilled := regexp.MustCompile(`\$\{(\w+)\}`).FindAllString(text(r.at("DefinitionString")), -1); len(unfilled) > 0 {
			for _, name := range unfilled {
				if r.at("DefinitionSubstitutions", strings.Trim(name, "${}")) == nil {
					t.Errorf("nothing is substituted for %s", name)
				}
			}
		}
	}
}

func TestTheTableCannotBeLost(t *testing.T) {
	for id, r := range control(t).of("AWS::DynamoDB::Table") {
		if r.at("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") != true || r.at("DeletionProtectionEnabled") != true || r.DeletionPolicy != "Retain" {
			t.Errorf("%s: recovery %v, protection %v, deletion %s", id, r.at("PointInTimeRecoverySpecification"), r.at("DeletionProtectionEnabled"), r.DeletionPolicy)
		}
		if r.at("StreamSpecification", "StreamViewType") != "NEW_AND_OLD_IMAGES" || r.at("TimeToLiveSpecification", "AttributeName") != "ttl" {
			t.Errorf("%s: stream %v, time to live %v", id, r.at("StreamSpecification"), r.at("TimeToLiveSpecification"))
		}
	}
}

func TestBucketsArePrivateAndSpokenToByTLSOnly(t *testing.T) {
	for id, r := range control(t).of("AWS::S3::Bucket") {
		for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if r.at("PublicAccessBlockConfiguration", block) != true {
				t.Errorf("%s does not %s", id, block)
			}
		}
		tls := false
		for _, p := range control(t).of("AWS::S3::BucketPolicy") {
			tls = tls || text(p.at("Bucket")) == "<"+id+">" && strings.Contains(text(p.at("PolicyDocument")), `"aws:SecureTransport":"false"`)
		}
		if !tls {
			t.Errorf("%s may be spoken to without TLS", id)
		}
	}
}

func TestTheLoadBalancerIsReachedThroughTheEdgeOnly(t *testing.T) {
	for _, r := range control(t).of("AWS::CloudFront::Distribution") {
		origins, _ := r.at("DistributionConfig", "Origins").([]any)
		for _, o := range origins {
			origin := resource{Properties: o.(map[string]any)}
			if origin.at("CustomOriginConfig") != nil {
				t.Errorf("the origin %s lies in the open", text(origin.at("DomainName")))
			}
			if origin.at("VpcOriginConfig") == nil && origin.at("OriginAccessControlId") == nil {
				t.Errorf("the origin %s may be reached around the edge", text(origin.at("DomainName")))
			}
		}
	}
	for id, r := range control(t).of("AWS::CloudFront::VpcOrigin") {
		if r.at("VpcOriginEndpointConfig", "OriginProtocolPolicy") != "https-only" {
			t.Errorf("%s speaks %v", id, r.at("VpcOriginEndpointConfig", "OriginProtocolPolicy"))
		}
	}
}

func TestEveryPathOfABackendIsUncachedAndBehindBothViewerFunctions(t *testing.T) {
	c := ourCatalog(t)
	want := []string{}
	for _, s := range c.Services {
		want = append(want, s.Paths...)
	}
	slices.Sort(want)
	got := []string{}
	for _, r := range control(t).of("AWS::CloudFront::Distribution") {
		behaviors, _ := r.at("DistributionConfig", "CacheBehaviors").([]any)
		all := append([]any{r.at("DistributionConfig", "DefaultCacheBehavior")}, behaviors...)
		for i, b := range all {
			behavior := resource{Properties: b.(map[string]any)}
			events := text(behavior.at("FunctionAssociations"))
			if !strings.Contains(events, "viewer-request") || !strings.Contains(events, "viewer-response") {
				t.Errorf("%s has the functions %s", text(behavior.at("PathPattern")), events)
			}
			if i == 0 {
				continue
			}
			got = append(got, text(behavior.at("PathPattern")))
			// The ids of CachingDisabled and of AllViewer (docs.aws.amazon.com, managed policies).
			if behavior.at("CachePolicyId") != "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" || behavior.at("OriginRequestPolicyId") != "216adef6-5c7f-47e4-b989-5492eafa07d3" {
				t.Errorf("%s is cached by %v, sent by %v", text(behavior.at("PathPattern")), behavior.at("CachePolicyId"), behavior.at("OriginRequestPolicyId"))
			}
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-catalog +distribution):\n%s", diff)
	}
}

func TestTheViewerFunctionsAreThoseOfTheLocalStack(t *testing.T) {
	c := ourCatalog(t)
	request, response, err := edge.Render(edge.Settings{
		BaseDomain: c.BaseDomain, Frontend: "web",
		Backends: []edge.Backend{{Name: "service1", Paths: c.Services["service1"].Paths}, {Name: "service2", Paths: c.Services["service2"].Paths}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range control(t).of("AWS::CloudFront::Function") {
		got = append(got, text(r.at("FunctionCode")))
	}
	slices.Sort(got)
	want := []string{request, response}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("code (-infra/edge +template):\n%s", diff)
	}
}

// swept are the kinds of resources that the reaper removes by their name.
var swept = []string{"AWS::SQS::Queue", "AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::TargetGroup"}

func TestNothingOfTheSuiteIsNamedAsAnEnvironmentsResourcesAre(t *testing.T) {
	for stack, s := range ours {
		if strings.HasPrefix(strings.ToLower(stack), "pv-") {
			t.Errorf("names that CloudFormation makes of the stack %s look like an environment's", stack)
		}
		for _, kind := range swept {
			for id, r := range s.of(kind) {
				for _, name := range []string{"QueueName", "ServiceName", "Name"} {
					if strings.HasPrefix(text(r.at(name)), "pv-") {
						t.Errorf("%s would be removed by the reaper: it is named %s", id, text(r.at(name)))
					}
				}
			}
		}
	}
}

func TestACatalogWithFaultsFailsWithAllOfThemAndTheirLines(t *testing.T) {
	text := readFile(t, "catalog.yaml")
	text = strings.Replace(text, "default: 60m", "default: 60 minutes", 1)
	text = strings.Replace(text, "prefix: pv", "prefix: Much-too-long", 1)
	text = strings.Replace(text, "ecsService: service2", "ecsServices: service2", 1)
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := synthesize(t.TempDir(), map[string]string{"catalog": relative(t, file)})
	if err == nil {
		t.Fatal("it synthesizes")
	}
	for _, words := range []string{"catalog.yaml:10: lifetime.default", "installation.prefix", `"ecsServices"`, `did you mean "ecsService"`} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("the error lacks %q:\n%v", words, err)
		}
	}
}

func ourCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse([]byte(readFile(t, "catalog.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// relative is a path from the root of the repository, as the command line gives it.
func relative(t testing.TB, file string) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(root, file)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Above one, two invocations would show one environment at the same time: each would
// post a status message of its own, or the older of two would be left standing.
func TestTheChangesOfOneEnvironmentAreShownOneAfterTheOther(t *testing.T) {
	mappings := control(t).of("AWS::Lambda::EventSourceMapping")
	if len(mappings) != 1 {
		t.Fatalf("there are %d mappings, want that of the table", len(mappings))
	}
	for name, r := range mappings {
		if factor := r.at("ParallelizationFactor"); factor != float64(1) {
			t.Errorf("%s has a factor of %v, which leaves only the changes of one row in order", name, factor)
		}
	}
}
