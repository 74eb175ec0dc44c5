package codebuild

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/google/go-cmp/cmp"
)

func TestABuildBuildsExactlyTheVersionThatWasAskedFor(t *testing.T) {
	s := newStage(t, Options{Environment: []string{"FROM=machine"}}, map[string]string{"web/buildspec.yml": `
env: {variables: {FROM: buildspec, OWN: buildspec}}
phases:
  install: {runtime-versions: {golang: 1.26}}
  pre_build: {commands: [mkdir -p dist/assets && cd dist, "export LATER=kept"]}
  build:
    commands:
      - ../show > index.html
      - echo "$FROM $ALSO $OWN $LATER $CODEBUILD_SOURCE_VERSION $AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID" > assets/env.txt
      - |
        echo "it says $(cat index.html)"
        touch .hidden
artifacts: {base-directory: dist, files: ['**/*']}
`})
	s.project("web", "web/buildspec.yml")
	id := s.start(&codebuild.StartBuildInput{
		ProjectName: aws.String("web"), SourceVersion: &s.second, ArtifactsOverride: zipTo("web.zip"),
		EnvironmentVariablesOverride: []types.EnvironmentVariable{{Name: aws.String("FROM"), Value: aws.String("override")}},
	})
	b, e := s.end(id)
	if b.BuildStatus != types.StatusTypeSucceeded || !b.BuildComplete || b.ResolvedSourceVersion != nil || aws.ToString(b.SourceVersion) != s.second {
		t.Fatalf("build = %s %s\n%s", b.BuildStatus, aws.ToString(b.SourceVersion), s.log(b))
	}
	want := map[string]string{
		"index.html": "two", ".hidden": "",
		"assets/env.txt": "override project buildspec kept " + s.second + " " + *s.config.BaseEndpoint + " web\n",
	}
	if diff := cmp.Diff(want, s.artifact("pr1/web.zip")); diff != "" {
		t.Errorf("artifact (-want +got):\n%s", diff)
	}
	if log := s.log(b); !strings.Contains(log, "it says two\n") || strings.Index(log, "it says two\n") > strings.Index(log, "Phase complete: BUILD State: SUCCEEDED") {
		t.Errorf("log:\n%s", log)
	}
	d := e.Detail
	if e.Source != "aws.codebuild" || e.DetailType != "CodeBuild Build State Change" || d.Status != "SUCCEEDED" || d.BuildID != *b.Arn ||
		d.Project != "web" || d.More.SourceVersion != s.second || d.More.Artifact.Location != "arn:aws:s3:::artifacts/pr1/web.zip" ||
		d.More.Logs.Group != "/aws/codebuild/web" || d.More.Logs.Stream != *b.Logs.StreamName {
		t.Errorf("event = %+v", e)
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "web-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the build left %v, %v", left, err)
	}
}

func TestPhasesFollowAWSsOrderThroughFailures(t *testing.T) {
	const all = "artifacts: {files: ['**/*']}\n"
	cases := map[string]struct {
		spec    string
		status  string
		phases  map[string]string
		message string // in some phase's context
		log     string
	}{
		"install": {"phases: {install: {commands: ['exit 3'], finally: [echo at last]}, build: {commands: [echo never]}}\n" + all, "FAILED",
			map[string]string{"INSTALL": "FAILED"}, "Error while executing command: exit 3. Reason: exit status 3", "at last\n"},
		"build": {"phases: {build: {commands: ['false', echo never]}, post_build: {commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING']}}\n" + all, "FAILED",
			map[string]string{"BUILD": "FAILED", "POST_BUILD": "SUCCEEDED", "UPLOAD_ARTIFACTS": "SUCCEEDED"}, "Reason: exit status 1", "succeeding=0\n"},
		"abort": {"phases: {build: {on-failure: ABORT, commands: ['false']}, post_build: {commands: [echo never]}}\n" + all, "FAILED",
			map[string]string{"BUILD": "FAILED"}, "Reason: exit status 1", ""},
		"nothing": {"phases: {build: {commands: ['true']}}\nartifacts: {files: ['none/**/*']}\n", "FAILED",
			map[string]string{"UPLOAD_ARTIFACTS": "FAILED"}, "no matching artifact paths found", ""},
		"nodir": {"phases: {build: {commands: ['true']}}\nartifacts: {base-directory: dist, files: ['**/*']}\n", "FAILED",
			map[string]string{"UPLOAD_ARTIFACTS": "FAILED"}, "no matching base directory path found for dist", ""},
		"badyaml": {"phases: [", "FAILED", map[string]string{"DOWNLOAD_SOURCE": "FAILED"}, "parse buildspec", ""},
	}
	specs := map[string]string{}
	for name, c := range cases {
		specs[name+".yml"] = c.spec
	}
	s := newStage(t, Options{}, specs)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s.project(name, name+".yml")
			b, e := s.end(s.start(&codebuild.StartBuildInput{ProjectName: &name, SourceVersion: &s.first, ArtifactsOverride: zipTo(name)}))
			got, contexts := statuses(b), ""
			for _, p := range e.Detail.More.Phases {
				contexts += strings.Join(p.Context, " ")
			}
			for phase, want := range c.phases {
				if got[phase] != want {
					t.Errorf("phase %s = %q, want %q", phase, got[phase], want)
				}
			}
			if _, uploaded := got["UPLOAD_ARTIFACTS"]; uploaded != (c.phases["UPLOAD_ARTIFACTS"] != "") {
				t.Errorf("phases = %v", got)
			}
			log := s.log(b)
			if string(b.BuildStatus) != c.status || e.Detail.Status != c.status || !strings.Contains(contexts, c.message) || !strings.Contains(log, c.log) || strings.Contains(log, "\nnever") {
				t.Errorf("build = %s, %s\n%s", b.BuildStatus, contexts, log)
			}
		})
	}
}

func TestAMissingVersionFailsTheDownload(t *testing.T) {
	s := newStage(t, Options{}, map[string]string{"buildspec.yml": "phases: {}"})
	s.project("shop", "buildspec.yml")
	b, _ := s.end(s.start(&codebuild.StartBuildInput{ProjectName: aws.String("shop"), SourceVersion: aws.String(strings.Repeat("a", 40))}))
	if statuses(b)["DOWNLOAD_SOURCE"] != "FAILED" || b.BuildStatus != types.StatusTypeFailed {
		t.Errorf("phases = %v", statuses(b))
	}
}

func TestABuildIsEndedWithAllThatItStarted(t *testing.T) {
	spec := map[string]string{"buildspec.yml": "phases: {build: {commands: ['sleep 300 & echo $! > ../pid; echo started; wait']}, post_build: {commands: [echo never]}}"}
	t.Run("by its timeout", func(t *testing.T) {
		s := newStage(t, Options{Timeout: 700 * time.Millisecond}, spec)
		s.project("shop", "buildspec.yml")
		b, e := s.end(s.start(&codebuild.StartBuildInput{ProjectName: aws.String("shop"), SourceVersion: &s.first}))
		if b.BuildStatus != types.StatusTypeTimedOut || e.Detail.Status != "TIMED_OUT" || statuses(b)["BUILD"] != "TIMED_OUT" {
			t.Errorf("build = %s %v\n%s", b.BuildStatus, statuses(b), s.log(b))
		}
	})
	t.Run("by StopBuild", func(t *testing.T) {
		s := newStage(t, Options{Concurrency: 1}, spec)
		s.project("shop", "buildspec.yml")
		in := &codebuild.StartBuildInput{ProjectName: aws.String("shop"), SourceVersion: &s.first}
		running, queued := s.start(in), s.start(in)
		pid := s.waitFor("shop-*/pid")
		for _, id := range []string{queued, running} {
			if _, err := s.client.StopBuild(t.Context(), &codebuild.StopBuildInput{Id: &id}); err != nil {
				t.Fatal(err)
			}
			if b, e := s.end(id); b.BuildStatus != types.StatusTypeStopped || e.Detail.Status != "STOPPED" {
				t.Errorf("build = %s", b.BuildStatus)
			}
		}
		if out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output(); err == nil && !strings.HasPrefix(string(out), "Z") {
			t.Errorf("process %s still runs: %s", pid, out)
		}
	})
}

func TestATokenStandsForOneBuild(t *testing.T) {
	s := newStage(t, Options{}, map[string]string{"buildspec.yml": "phases: {}"})
	s.project("shop", "buildspec.yml")
	in := &codebuild.StartBuildInput{ProjectName: aws.String("shop"), SourceVersion: &s.first, IdempotencyToken: aws.String("pr1-1-1")}
	first, second := s.start(in), s.start(in)
	if first != second {
		t.Errorf("two builds: %s, %s", first, second)
	}
	in.SourceVersion = &s.second
	if _, err := s.client.StartBuild(t.Context(), in); !isA[*types.InvalidInputException](err) {
		t.Errorf("other parameters with the same token: %v", err)
	}
	in.IdempotencyToken = aws.String("pr1-1-2")
	third := s.start(in)
	list, err := s.client.ListBuildsForProject(t.Context(), &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{third, first}, list.Ids); diff != "" {
		t.Errorf("builds (-want +got):\n%s", diff)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	s := newStage(t, Options{}, nil)
	if _, err := s.client.StartBuild(t.Context(), &codebuild.StartBuildInput{ProjectName: aws.String("none")}); !isA[*types.ResourceNotFoundException](err) {
		t.Errorf("StartBuild = %v", err)
	}
	if _, err := s.client.StopBuild(t.Context(), &codebuild.StopBuildInput{Id: aws.String("none:1")}); !isA[*types.ResourceNotFoundException](err) {
		t.Errorf("StopBuild = %v", err)
	}
	out, err := s.client.BatchGetBuilds(t.Context(), &codebuild.BatchGetBuildsInput{Ids: []string{"none:1"}})
	if err != nil || len(out.BuildsNotFound) != 1 {
		t.Errorf("BatchGetBuilds = %+v, %v", out, err)
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestGlobs(t *testing.T) {
	for name, c := range map[string]struct {
		pattern, path string
		want          bool
	}{
		"all files at any depth":        {"**/*", "a/b/c.js", true},
		"all files at the top too":      {"**/*", "index.html", true},
		"a star stays in its folder":    {"*", "a/b", false},
		"a star matches a dot file":     {"*", ".hidden", true},
		"a folder's files at any depth": {"a/**/*", "a/b/c", true},
		"a folder's own files":          {"a/**/*", "a/c", true},
		"a dot is a dot":                {"a.js", "abjs", false},
		"a leading ./ is nothing":       {"./a/*.js", "a/b.js", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := globs([]string{c.pattern})(c.path); got != c.want {
				t.Errorf("globs(%q)(%q) = %v", c.pattern, c.path, got)
			}
		})
	}
}
