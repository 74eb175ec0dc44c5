package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// references are the logical ids that a value names.
func references(v any) []string {
	var ids []string
	switch v := v.(type) {
	case []any:
		for _, below := range v {
			ids = append(ids, references(below)...)
		}
	case map[string]any:
		if id, ok := v["Ref"].(string); ok {
			ids = append(ids, id)
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			ids = append(ids, text(get[0]))
		}
		for _, below := range v {
			ids = append(ids, references(below)...)
		}
	}
	return ids
}

// waitsFor are all resources that exist before one is made, near and far.
func (t template) waitsFor(id string) map[string]bool {
	before := map[string]bool{}
	next := []string{id}
	for len(next) > 0 {
		r := t.Resources[next[0]]
		next = next[1:]
		for _, on := range append(references(r.Properties), r.DependsOn...) {
			if _, made := t.Resources[on]; made && !before[on] {
				before[on] = true
				next = append(next, on)
			}
		}
	}
	return before
}

// policiesOf are the policies of each role, by its logical id.
func (t template) policiesOf() map[string][]string {
	found := map[string][]string{}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"} {
		for id, r := range t.of(kind) {
			for _, role := range slices.Concat(references(r.at("Roles")), references(r.at("RoleName"))) {
				found[role] = append(found[role], id)
			}
		}
	}
	return found
}

// early are the users of roles that are made before all policies of the role are there:
// AWS looks at what a role may do when it is named, or soon after.
func (t template) early() []string {
	var found []string
	policies := t.policiesOf()
	for id, r := range t.Resources {
		if strings.HasPrefix(r.Type, "AWS::IAM::") {
			continue
		}
		before := t.waitsFor(id)
		for _, role := range references(r.Properties) {
			for _, policy := range policies[role] {
				if !before[policy] {
					found = append(found, r.Type+" "+clean(id)+" does not wait for "+clean(policy))
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestWhatUsesARoleWaitsForAllOfItsPolicies(t *testing.T) {
	var found []string
	for of, all := range map[string]stacks{"": ours, "sample: ": sampled(t)} {
		for name, stack := range all {
			for _, early := range stack.early() {
				found = append(found, of+name+": "+early)
			}
		}
	}
	compare(t, "order", found)
}

// named are the properties that give a resource a name that there is once.
var named = []string{
	"BucketName", "FunctionName", "LogGroupName", "Name", "ParameterName", "QueueName", "RepositoryName", "RoleName",
	"StateMachineName", "TableName", "TopicName",
}

// outlives are the named resources that stay when their stack goes, each with the
// reason why their name may be in the way then.
var outlives = map[string]string{
	"AWS::ECR::Repository Merged": "the baseline runs its images, whatever becomes of the suite",
}

// orphans are what a creation that failed leaves, each with the reason; they have no
// names that could be in the way.
var orphans = map[string]string{
	"AWS::DynamoDB::Table Environments": "it is protected from deletion, which a rollback would fail at",
	"AWS::S3::Bucket AccessLogs":        "AWS writes to it at once, and a bucket that is not empty cannot be deleted",
}

// TestAFirstDeploymentThatFailedIsNotInTheWayOfTheNext holds for what a failed creation
// leaves, and for what is left of a suite that was removed.
func TestAFirstDeploymentThatFailedIsNotInTheWayOfTheNext(t *testing.T) {
	for of, all := range map[string]stacks{"": ours, "sample: ": sampled(t)} {
		for name, stack := range all {
			for id, r := range stack.Resources {
				stays := r.DeletionPolicy == "Retain" || r.DeletionPolicy == "RetainExceptOnCreate"
				for _, property := range named {
					if _, why := outlives[r.Type+" "+clean(id)]; stays && r.Properties[property] != nil && !why {
						t.Errorf("%s%s: %s is left behind by the name %s", of, name, clean(id), text(r.Properties[property]))
					}
				}
				if _, why := orphans[r.Type+" "+clean(id)]; r.DeletionPolicy == "Retain" && !why {
					t.Errorf("%s%s: %s is left behind by a creation that failed", of, name, clean(id))
				}
			}
		}
	}
}

// manifestOf is what the CDK CLI reads of a synthesis.
func manifestOf(t *testing.T, folder string) (missing []any, protected []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Missing   []any
		Artifacts map[string]struct {
			Properties struct{ TerminationProtection bool }
		}
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for name, artifact := range m.Artifacts {
		if artifact.Properties.TerminationProtection {
			protected = append(protected, name)
		}
	}
	return m.Missing, protected
}

func TestNothingIsLookedUpInTheAccount(t *testing.T) {
	sampled(t)
	for _, folder := range []string{reports, sampleFolder()} {
		if missing, _ := manifestOf(t, folder); len(missing) > 0 {
			t.Errorf("the synthesis asks the account for %v", missing)
		}
	}
}

func TestAStackIsProtectedOnlyWhenItWasAskedFor(t *testing.T) {
	if _, protected := manifestOf(t, reports); len(protected) > 0 {
		t.Errorf("a failed first deployment of %v could not be taken away", protected)
	}
	out := t.TempDir()
	if _, err := synthesize(out, map[string]string{"protect": "true"}); err != nil {
		t.Fatal(err)
	}
	if _, protected := manifestOf(t, out); !slices.Equal(protected, []string{"PreviewEnvironments-pv"}) {
		t.Errorf("-c protect=true protects %v", protected)
	}
}

// TestAZoneIsNamedByItsID because its letter is another zone in another account, and
// not all zones have what the sample needs.
func TestAZoneIsNamedByItsID(t *testing.T) {
	zones := map[string]int{}
	for id, r := range sampled(t)["PreviewEnvironments-pv"].of("AWS::EC2::Subnet") {
		if zone := r.at("AvailabilityZone"); zone != nil {
			t.Errorf("%s lies in %v", id, zone)
		}
		zones[text(r.at("AvailabilityZoneId"))]++
	}
	if !maps.Equal(zones, map[string]int{"use1-az1": 2, "use1-az2": 2}) {
		t.Errorf("subnets by zone = %v", zones)
	}
}
