package main

import (
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

func TestABuildIsStartedAsItsProjectSays(t *testing.T) {
	denied := map[string]bool{}
	for _, p := range control(t).permissions() {
		if p.role == roleOf(t, "build") && !p.allow && slices.Contains(p.actions, "codebuild:StartBuild") {
			denied[p.conditions] = true
		}
	}
	for _, key := range []string{"serviceRole", "source.buildspec", "source.location", "environment.image", "environment.privilegedMode"} {
		// A statement of its own: the keys of one condition must all hold.
		if !denied[`{"Null":{"codebuild:`+key+`":"false"}}`] {
			t.Errorf("a build may be started with another %s", key)
		}
	}
}
