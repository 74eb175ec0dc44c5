package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// services are those of the catalog.
var services = []string{"service1", "service2", "web"}

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
	for _, service := range services {
		ephemeral, merged := project(t, service, "ephemeral"), project(t, service, "main")
		for _, path := range [][]string{
			{"Source", "BuildSpec"}, {"Environment", "Image"}, {"Environment", "ComputeType"}, {"Environment", "Type"},
			{"Environment", "PrivilegedMode"}, {"TimeoutInMinutes"},
		} {
			if diff := cmp.Diff(text(ephemeral.at(path...)), text(merged.at(path...))); diff != "" {
				t.Errorf("%s: %v (-ephemeral +main):\n%s", service, path, diff)
			}
		}
		if diff := cmp.Diff(variables(ephemeral), variables(merged)); diff != "" {
			t.Errorf("%s: names of variables (-ephemeral +main):\n%s", service, diff)
		}
		if text(ephemeral.at("ServiceRole")) == text(merged.at("ServiceRole")) {
			t.Errorf("%s: both pipelines have the role %s", service, text(merged.at("ServiceRole")))
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
		if text(r.at("Source", "Auth", "Type")) != "CODECONNECTIONS" {
			t.Errorf("%s: it reads the source by %v", service, r.at("Source", "Auth"))
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
		"s3:GetObject":                  "arn:aws:s3:::<Artifacts>/builds/web/x.zip",
		"s3:PutObject":                  "arn:aws:s3:::<Site>/default/index.html",
		"ecs:UpdateService":             fmt.Sprintf(account, "ecs", "service/staging/service1"),
		"codebuild:StartBuild":          fmt.Sprintf(account, "codebuild", "project/pv-main-service1"),
		"dynamodb:PutItem":              fmt.Sprintf(account, "dynamodb", "table/any"),
		"sts:AssumeRole":                "arn:aws:iam::111122223333:role/any",
		"iam:PassRole":                  "arn:aws:iam::111122223333:role/any",
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

func TestAServiceOfAnotherCannotBeBuiltOver(t *testing.T) {
	for _, p := range stackOf(t, "PreviewEnvironments-pv-web").permissions() {
		for _, r := range p.resources {
			if p.allow && strings.HasPrefix(p.role, "Ephemeral") && covers(r, "arn:aws:s3:::<Artifacts>/builds/other/x.zip") {
				t.Errorf("builds of web may write %s", r)
			}
		}
	}
}
