package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tryOut is the command line of a first try in an empty account.
var tryOut = map[string]string{
	"sample": "true", "zone": "example.com", "zoneId": "Z0123456789ABCDEFGHIJ", "repository": "acme/shop", "account": "111122223333",
	"connection": "arn:aws:codeconnections:us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef",
}

// sampleFolder is where the stacks of the sample are made, beside the reports.
func sampleFolder() string { return filepath.Join(reports, "sample") }

// sampleOnce makes the stacks of the sample, when a test asks for them.
var sampleOnce = sync.OnceValues(func() (stacks, error) { return synthesize(sampleFolder(), tryOut) })

func sampled(t *testing.T) stacks {
	t.Helper()
	made, err := sampleOnce()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheSampleIsABaselineThatTheEdgeAloneReaches(t *testing.T) {
	made, out := sampled(t), sampleFolder()
	stack := made["PreviewEnvironments-pv"]
	for id, r := range stack.of("AWS::ElasticLoadBalancingV2::LoadBalancer") {
		if r.at("Scheme") != "internal" {
			t.Errorf("%s is %v", id, r.at("Scheme"))
		}
	}
	if n := len(stack.of("AWS::ECS::Service")); n != 2 {
		t.Errorf("it has %d services", n)
	}
	for id, r := range stack.of("AWS::IAM::Role") {
		if text(r.at("Path")) == "/preview/" && !strings.Contains(text(r.at("PermissionsBoundary")), "Boundary") {
			t.Errorf("previews may run with %s, which has no boundary", id)
		}
	}
	for id, r := range stack.of("AWS::SSM::Parameter") {
		if strings.Contains(text(r.at("Value")), "0123456789abcdef/0123456789abcdef") {
			t.Errorf("%s still names the listener that stands for the one that is made", id)
		}
	}
	lint, _ := filepath.Abs("../.local/venv/bin/cfn-lint")
	if lines, err := exec.CommandContext(t.Context(), lint, filepath.Join(out, "PreviewEnvironments-pv.template.json")).CombinedOutput(); err != nil { //nolint:gosec // of this test's own making
		t.Errorf("cfn-lint: %v\n%s", err, lines)
	}
	text, err := os.ReadFile(filepath.Join(out, "AwsSolutions-PreviewEnvironments-pv-NagReport.json"))
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Lines []finding }
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Lines {
		if f.Compliance != "Compliant" && f.Compliance != "Suppressed" {
			t.Errorf("%s is %s of %s", f.ResourceID, f.Compliance, f.RuleID)
		}
	}
}

func TestASampleWithoutItsContextSaysAllThatIsMissing(t *testing.T) {
	t.Setenv("CDK_DEFAULT_ACCOUNT", "")
	_, err := synthesize(t.TempDir(), map[string]string{"sample": "true"})
	if err == nil {
		t.Fatal("it synthesizes")
	}
	for _, words := range []string{"-c zone=", "-c zoneId=", "-c connection=", "-c repository=", "-c account="} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q lacks %s", err, words)
		}
	}
}

// TestTheEdgeReachesTheSamplesLoadBalancer because what comes through a VPC origin has
// CloudFront's addresses, which no rule for the VPC's range admits.
func TestTheEdgeReachesTheSamplesLoadBalancer(t *testing.T) {
	stack := sampled(t)["PreviewEnvironments-pv"]
	rules := map[string]int{} // of each group
	admitted := ""
	for _, r := range stack.of("AWS::EC2::SecurityGroupIngress") {
		group := strings.TrimSuffix(strings.TrimPrefix(text(r.at("GroupId")), "<"), ".GroupId>")
		rules[group]++
		if text(r.at("SourcePrefixListId")) == edgePrefixList && r.at("FromPort") == 443.0 {
			admitted = group
		}
	}
	if admitted == "" {
		t.Fatal("no group admits CloudFront")
	}
	inline, _ := stack.Resources[admitted].at("SecurityGroupIngress").([]any)
	if n := rules[admitted] + len(inline); n != 1 {
		t.Errorf("the group that admits CloudFront has %d rules; its list alone counts as 55 of 60", n)
	}
	for id, r := range stack.of("AWS::ElasticLoadBalancingV2::LoadBalancer") {
		if !strings.Contains(text(r.at("SecurityGroups")), admitted) {
			t.Errorf("%s is not in the group that admits CloudFront", id)
		}
	}
}

func TestTheSamplesServicesFindEachOther(t *testing.T) {
	stack := sampled(t)["PreviewEnvironments-pv"]
	for _, r := range stack.of("AWS::Route53::RecordSet") {
		if text(r.at("Name")) == "staging.example.com." && strings.Contains(text(r.at("AliasTarget", "DNSName")), "Balancer") {
			return
		}
	}
	t.Error("the host of the baseline leads nowhere, and service1 asks service2 by it")
}

// TestTheSamplesServicesMayBeAnybodysContainers who is not root, and answers where it is
// asked for its health.
func TestTheSamplesServicesMayBeAnybodysContainers(t *testing.T) {
	stack := sampled(t)["PreviewEnvironments-pv"]
	for id, r := range stack.of("AWS::ElasticLoadBalancingV2::TargetGroup") {
		if r.at("HealthCheckPath") != "/healthz" || r.at("Matcher", "HttpCode") != "200" || r.at("Port") != 8080.0 {
			t.Errorf("%s asks %v on %v for %v", id, r.at("HealthCheckPath"), r.at("Port"), r.at("Matcher"))
		}
	}
	for id, r := range stack.of("AWS::ECS::TaskDefinition") {
		containers, _ := r.at("ContainerDefinitions").([]any)
		container := resource{Properties: containers[0].(map[string]any)}
		if !strings.Contains(text(container.at("PortMappings")), "8080") {
			t.Errorf("%s listens on %s", id, text(container.at("PortMappings")))
		}
		// A preview runs what the baseline runs with another image.
		if container.at("Command") != nil || container.at("EntryPoint") != nil {
			t.Errorf("%s has a command, which every preview would run", id)
		}
	}
}
