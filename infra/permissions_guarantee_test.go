package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/statemachine"
)

func TestTheMachineMayInvokeTheFunctionsOfItsTasksAndNothingElse(t *testing.T) {
	wanted := map[string]bool{}
	for _, task := range statemachine.Tasks {
		wanted[task.Function] = true
	}
	var role string
	for _, r := range control(t).of("AWS::StepFunctions::StateMachine") {
		role = strings.TrimSuffix(strings.TrimPrefix(text(r.at("RoleArn")), "<"), ".Arn>")
	}
	got := map[string]bool{}
	for _, p := range control(t).permissions() {
		if p.role != role || !p.allow {
			continue
		}
		for _, action := range p.actions {
			if action != "lambda:InvokeFunction" && !strings.HasPrefix(action, "logs:") && !strings.HasPrefix(action, "xray:") {
				t.Errorf("the machine may %s", action)
			}
		}
		if !slices.Contains(p.actions, "lambda:InvokeFunction") {
			continue
		}
		for _, resource := range p.resources {
			id := strings.TrimSuffix(strings.TrimPrefix(resource, "<"), ".Arn>")
			name, _ := control(t).Resources[id].at("FunctionName").(string)
			got[strings.TrimPrefix(name, "pv-")] = true
		}
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("functions that the machine may invoke (-of its tasks +granted):\n%s", diff)
	}
}

func TestNoRoleHasAWildcardAction(t *testing.T) {
	for name, stack := range ours {
		for _, p := range stack.permissions() {
			for _, action := range p.actions {
				// CodePipeline's own actions come from CDK with patterns of reads and of one bucket.
				if p.allow && strings.Contains(action, "*") && !isBoundary(p) && !ofPipeline(p.role) {
					t.Errorf("%s: %s may %s", name, p.role, action)
				}
			}
		}
	}
}

// ofPipeline tells a role that CDK makes for CodePipeline or an action of it: it has
// s3:GetObject* and the like, on one bucket.
func ofPipeline(role string) bool {
	for _, begin := range []string{"PipelineRole", "SourceRole", "Main", "DeployRole"} {
		if strings.HasPrefix(role, begin) {
			return true
		}
	}
	return false
}

// anywhere are the actions that may be taken on every resource, because AWS gives
// them no narrower one; the reason stands with each grant.
var anywhere = []string{
	"dynamodb:ListStreams",
	"ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListServices", "ecs:ListTaskDefinitionFamilies",
	"ecs:ListTaskDefinitions", "ecs:ListTasks",
	"elasticloadbalancing:DescribeAccountLimits", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
	"elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
	"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
	"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
	"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
	"sqs:ListQueues", "states:SendTaskFailure", "states:SendTaskSuccess", "tag:GetResources",
	"xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

func TestWildcardResourcesAreExactlyThoseThatAWSForces(t *testing.T) {
	got := map[string]bool{}
	for _, p := range control(t).permissions() {
		if !p.allow || isBoundary(p) || !slices.Contains(p.resources, "*") {
			continue
		}
		for _, action := range p.actions {
			got[action] = true
		}
	}
	if diff := cmp.Diff(anywhere, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("actions on every resource (-reviewed +granted):\n%s", diff)
	}
}

func TestOnlyOneFunctionHoldsWhatIsDangerous(t *testing.T) {
	for action, names := range map[string][]string{
		"elasticloadbalancing:CreateRule":        {"rule"},
		"elasticloadbalancing:ModifyRule":        {"rule"},
		"elasticloadbalancing:DeleteRule":        {"rule", "reap"},
		"elasticloadbalancing:SetRulePriorities": {},
		"elasticloadbalancing:ModifyListener":    {},
		"elasticloadbalancing:RegisterTargets":   {},
		"elasticloadbalancing:RemoveTags":        {},
		"elasticloadbalancing:DeleteTargetGroup": {"targetgroup", "reap"},
		"ecs:CreateService":                      {"service"},
		"ecs:UpdateService":                      {"service"},
		"ecs:ExecuteCommand":                     {},
		"codebuild:StartBuild":                   {"build"},
		"cloudfront-keyvaluestore:PutKey":        {"route"},
		"dynamodb:DeleteTable":                   {},
		"dynamodb:DeleteItem":                    {},
		"dynamodb:Scan":                          {},
		"states:StartExecution":                  {"slack", "reap"},
		"states:StopExecution":                   {},
	} {
		var want []string
		for _, name := range names {
			want = append(want, roleOf(t, name))
		}
		slices.Sort(want)
		got := slices.DeleteFunc(holders(action), func(role string) bool {
			return strings.HasPrefix(role, "Boundary") || ofPipeline(role) && !strings.HasPrefix(action, "elasticloadbalancing:")
		})
		if diff := cmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" {
			t.Errorf("who may %s (-wanted +granted):\n%s", action, diff)
		}
	}
}

func TestTagsGoInOnlyWithACreation(t *testing.T) {
	for _, p := range control(t).permissions() {
		for _, action := range p.actions {
			if p.allow && (action == "elasticloadbalancing:AddTags" || action == "ecs:TagResource") && !strings.Contains(p.conditions, ":CreateAction") {
				t.Errorf("%s may %s on what is there already: %s", p.role, action, p.conditions)
			}
		}
	}
}

func TestRolesArePassedOnlyToTasksAndOnlyThoseOfTheCatalog(t *testing.T) {
	passed := 0
	for _, p := range control(t).permissions() {
		if !p.allow || !slices.Contains(p.actions, "iam:PassRole") {
			continue
		}
		passed++
		if p.role != roleOf(t, "service") || !strings.Contains(p.conditions, `"iam:PassedToService":"ecs-tasks.amazonaws.com"`) {
			t.Errorf("%s may pass %v under %s", p.role, p.resources, p.conditions)
		}
		if diff := cmp.Diff([]string{
			"arn:aws:iam::111122223333:role/preview/service1", "arn:aws:iam::111122223333:role/preview/service2",
			"arn:aws:iam::111122223333:role/staging-execution",
		}, p.resources); diff != "" {
			t.Errorf("roles that may be passed (-catalog +granted):\n%s", diff)
		}
	}
	if passed != 1 {
		t.Errorf("%d statements pass roles, want 1", passed)
	}
}

// TestABuildIsStartedAsItsProjectSays takes the keys from AWS's reference: one that is
// new there is named here until it is refused too.
func TestABuildIsStartedAsItsProjectSays(t *testing.T) {
	var wanted []string
	for _, key := range authorityOf(t, "codebuild").Privileges["StartBuild"].ResourceTypes[""].ConditionKeys {
		if !strings.Contains(key, "${") {
			wanted = append(wanted, key)
		}
	}
	slices.Sort(wanted)
	allowed := 0
	for _, p := range control(t).permissions() {
		if !p.allow || !slices.ContainsFunc(p.actions, func(a string) bool { return covers(a, "codebuild:StartBuild") }) || isBoundary(p) {
			continue
		}
		allowed++
		var conditions map[string]map[string]string
		if err := json.Unmarshal([]byte(p.conditions), &conditions); err != nil {
			t.Fatalf("%s may start builds under %q: %v", p.role, p.conditions, err)
		}
		var refused []string
		for key, absent := range conditions["Null"] {
			if absent == "true" {
				refused = append(refused, key)
			}
		}
		slices.Sort(refused)
		if diff := cmp.Diff(wanted, refused); diff != "" {
			t.Errorf("%s: what a build may not be started with (-AWS +refused):\n%s", p.role, diff)
		}
	}
	if allowed != 1 {
		t.Errorf("%d statements start builds, want 1", allowed)
	}
}
