package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// services are those of the catalog; merged are those with a main pipeline.
var (
	services = []string{"service1", "service2", "web"}
	merged   = []string{"service1", "web"}
)

func project(t *testing.T, service, kind string) resource {
	t.Helper()
	for _, r := range stackOf(t, "PreviewEnvironments-pv-"+service).of("AWS::CodeBuild::Project") {
		if r.at("Name") == "pv-"+kind+"-"+service {
			return r
		}
	}
	t.Fatalf("%s has no project of kind %s", service, kind)
	return resource{}
}

func TestBothPipelinesOfAServiceHaveTheSameBuildSteps(t *testing.T) {
	for _, service := range merged {
		ephemeral, main := project(t, service, "ephemeral"), project(t, service, "main")
		for _, path := range [][]string{
			{"Source", "BuildSpec"}, {"Environment", "Image"}, {"Environment", "ComputeType"}, {"Environment", "Type"},
			{"Environment", "PrivilegedMode"}, {"TimeoutInMinutes"},
		} {
			if diff := cmp.Diff(text(ephemeral.at(path...)), text(main.at(path...))); diff != "" {
				t.Errorf("%s: %v (-ephemeral +main):\n%s", service, path, diff)
			}
		}
		if diff := cmp.Diff(variables(ephemeral), variables(main)); diff != "" {
			t.Errorf("%s: names of variables (-ephemeral +main):\n%s", service, diff)
		}
		if text(ephemeral.at("ServiceRole")) == text(main.at("ServiceRole")) {
			t.Errorf("%s: both pipelines have the role %s", service, text(main.at("ServiceRole")))
		}
	}
}

func TestAServiceHasAMainPipelineOnlyIfTheCatalogAsksForOne(t *testing.T) {
	for _, service := range services {
		stack := stackOf(t, "PreviewEnvironments-pv-"+service)
		want := 0
		if slices.Contains(merged, service) {
			want = 1
		}
		pipelines := stack.of("AWS::CodePipeline::Pipeline")
		if len(pipelines) != want {
			t.Errorf("%s has %d main pipelines, want %d", service, len(pipelines), want)
		}
		if want == 0 && len(stack.of("AWS::ECR::Repository")) > 1 {
			t.Errorf("%s has a repository for what nobody builds", service)
		}
	}
}

func TestAPipelineThatIsMadeDeploysNothing(t *testing.T) {
	for _, service := range merged {
		for _, pipeline := range stackOf(t, "PreviewEnvironments-pv-"+service).of("AWS::CodePipeline::Pipeline") {
			var closed []string
			all, _ := pipeline.at("DisableInboundStageTransitions").([]any)
			for _, transition := range all {
				closed = append(closed, text(transition.(map[string]any)["StageName"]))
			}
			open := true
			for _, stage := range pipeline.at("Stages").([]any) {
				name := text(stage.(map[string]any)["Name"])
				open = open && !slices.Contains(closed, name)
				if name == deployStage && open {
					t.Errorf("%s: its first run, which begins by itself, deploys", service)
				}
				if name != "Source" && name != "Build" && open {
					t.Errorf("%s: its first run reaches %s", service, name)
				}
			}
		}
	}
}

func TestTheSourceActionMayUseTheConnectionByEitherName(t *testing.T) {
	for _, service := range merged {
		for _, name := range []string{"codeconnections", "codestar-connections"} {
			arn := "arn:aws:" + name + ":us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef"
			found := false
			for _, p := range stackOf(t, "PreviewEnvironments-pv-"+service).permissions() {
				found = found || strings.HasPrefix(p.role, "SourceRole") && p.allow && slices.Contains(p.actions, name+":UseConnection") && slices.Contains(p.resources, arn)
			}
			if !found {
				t.Errorf("%s: its source action may not use %s", service, arn)
			}
		}
	}
}

func TestWhatTheBaselineRunsOutlivesItsStack(t *testing.T) {
	for _, r := range stackOf(t, "PreviewEnvironments-pv-service1").of("AWS::ECR::Repository") {
		name := text(r.at("RepositoryName"))
		want, emptied := "Delete", any(true)
		if name == "pv-main/service1" {
			want, emptied = "RetainExceptOnCreate", nil
		}
		if got := r.at("EmptyOnDelete"); r.DeletionPolicy != want || got != emptied && got != false {
			t.Errorf("%s: when its stack goes it is %s, emptied %v", name, r.DeletionPolicy, got)
		}
	}
}

func TestABuildIsForTheArchitectureOfItsService(t *testing.T) {
	for service, want := range map[string][2]string{
		"service1": {"ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0"}, "web": {"LINUX_CONTAINER", "aws/codebuild/amazonlinux-x86_64-standard:5.0"},
	} {
		r := project(t, service, "ephemeral")
		if got := [2]string{text(r.at("Environment", "Type")), text(r.at("Environment", "Image"))}; got != want {
			t.Errorf("%s is built in %v, want %v", service, got, want)
		}
	}
}

func variables(r resource) []string {
	var names []string
	all, _ := r.at("Environment", "EnvironmentVariables").([]any)
	for _, v := range all {
		names = append(names, text(v.(map[string]any)["Name"]))
	}
	return names
}

func TestAnEphemeralBuildIsStartedByNobodyButTheBuildFunction(t *testing.T) {
	for _, service := range services {
		r := project(t, service, "ephemeral")
		if webhook := r.at("Triggers", "Webhook"); webhook == true {
			t.Errorf("%s: a push starts it", service)
		}
		if r.at("Source", "Auth") != nil || text(r.at("Source", "Type")) != "S3" || !strings.HasSuffix(text(r.at("Source", "Location")), "/sources/"+service+".zip") {
			t.Errorf("%s: it reads %v", service, r.at("Source"))
		}
	}
}

func TestTheEphemeralRoleReachesNothingOfMainAndIsBounded(t *testing.T) {
	const account = "arn:aws:%s:us-east-1:111122223333:%s"
	forbidden := map[string]string{
		"ecr:PutImage":                  fmt.Sprintf(account, "ecr", "repository/pv-main/service1"),
		"ecr:BatchGetImage":             fmt.Sprintf(account, "ecr", "repository/pv-main/service1"),
		"secretsmanager:GetSecretValue": fmt.Sprintf(account, "secretsmanager", "secret:pv/slack-token-abcdef"),
		"ssm:GetParameters":             fmt.Sprintf(account, "ssm", "parameter/pv/catalog/settings"),
		"ecs:UpdateService":             fmt.Sprintf(account, "ecs", "service/staging/service1"),
		"codebuild:StartBuild":          fmt.Sprintf(account, "codebuild", "project/pv-main-service1"),
		"dynamodb:PutItem":              fmt.Sprintf(account, "dynamodb", "table/any"),
		"sts:AssumeRole":                "arn:aws:iam::111122223333:role/any",
		"iam:PassRole":                  "arn:aws:iam::111122223333:role/any",
	}
	for _, prefix := range []string{"codeconnections", "codestar-connections"} {
		for _, action := range []string{"UseConnection", "GetConnectionToken", "GetConnection"} {
			forbidden[prefix+":"+action] = "arn:aws:" + prefix + ":us-east-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef"
		}
	}
	for _, service := range services {
		stack := stackOf(t, "PreviewEnvironments-pv-"+service)
		role := strings.TrimSuffix(strings.TrimPrefix(text(project(t, service, "ephemeral").at("ServiceRole")), "<"), ".Arn>")
		if !strings.Contains(text(stack.Resources[role].at("PermissionsBoundary")), "Boundary") {
			t.Errorf("%s: the role of unreviewed code has no boundary", service)
		}
		for _, p := range stack.permissions() {
			if p.role != role || !p.allow {
				continue
			}
			for action, arn := range forbidden {
				if slices.ContainsFunc(p.actions, func(a string) bool { return covers(a, action) }) &&
					slices.ContainsFunc(p.resources, func(r string) bool { return covers(r, arn) }) {
					t.Errorf("%s: unreviewed code may %s on %s", service, action, arn)
				}
			}
		}
	}
}

func TestABuildReachesNothingOfAnotherService(t *testing.T) {
	for _, p := range stackOf(t, "PreviewEnvironments-pv-web").permissions() {
		for _, r := range p.resources {
			if !p.allow || !strings.HasPrefix(p.role, "Ephemeral") || r == "*" {
				continue
			}
			for _, other := range []string{"outputs/other/1/output.zip", "builds/other/x.zip", "builds/web/x.zip", "sources/other.zip", "default/index.html"} {
				// What stands before the slash is the bucket, whichever it is.
				_, path, _ := strings.Cut(r, "/")
				if path != "" && covers(path, other) {
					t.Errorf("builds of web may %v on %s", p.actions, r)
				}
			}
		}
	}
}
