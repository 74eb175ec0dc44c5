package codebuild

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/moto"
)

// stage is a CodeBuild behind an edge before a real emulator, with a repository
// of two commits, of which the second is on no branch.
type stage struct {
	t      *testing.T
	config aws.Config
	client *codebuild.Client
	builds *Builds
	first  string
	second string
	dir    string
	events chan json.RawMessage
}

func newStage(t *testing.T, options Options, specs map[string]string) *stage {
	t.Helper()
	bin, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		t.Fatal(err)
	}
	server, err := moto.Start(t.Context(), moto.Options{Python: bin})
	if err != nil {
		t.Fatal(err)
	}
	e := edge.New(server.URL, slog.New(slog.DiscardHandler))
	front := httptest.NewServer(e)
	s := &stage{t: t, dir: t.TempDir(), events: make(chan json.RawMessage, 10)}
	s.config = aws.Config{Region: "us-east-1", BaseEndpoint: &front.URL, Credentials: credentials.NewStaticCredentialsProvider("build", "secret", ""), HTTPClient: http.DefaultClient}
	repository := s.repository(specs)
	options.Config, options.Dir = s.config, s.dir
	options.Clone = func(location string) string {
		return strings.Replace(location, "https://github.com/acme/shop.git", repository, 1)
	}
	options.OnEvent = func(_ context.Context, event json.RawMessage) { s.events <- event }
	s.builds = New(options)
	for _, op := range Operations {
		e.Handle("codebuild", op, s.builds)
	}
	t.Cleanup(func() {
		_ = s.builds.Close()
		front.Close()
		_ = server.Close()
	})
	s.client = codebuild.NewFromConfig(s.config)
	if _, err := s3.NewFromConfig(s.config).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("artifacts")}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) repository(specs map[string]string) string {
	dir := s.t.TempDir()
	run := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	run("init", "--quiet", "--initial-branch=main")
	for name, text := range specs {
		write(name, "version: 0.2\n"+text)
	}
	write("version.txt", "one")
	run("add", ".")
	run("commit", "--quiet", "-m", "one")
	s.first = run("rev-parse", "HEAD")
	write("version.txt", "two")
	run("commit", "--quiet", "-am", "two")
	s.second = run("rev-parse", "HEAD")
	run("reset", "--quiet", "--hard", s.first)
	return dir
}

func (s *stage) project(name, buildspec string) {
	s.t.Helper()
	_, err := s.client.CreateProject(s.t.Context(), &codebuild.CreateProjectInput{
		Name: &name, ServiceRole: aws.String("arn:aws:iam::123456789012:role/build"),
		Source:    &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String("https://github.com/acme/shop.git"), Buildspec: &buildspec},
		Artifacts: &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts},
		Environment: &types.ProjectEnvironment{
			Type: types.EnvironmentTypeLinuxContainer, ComputeType: types.ComputeTypeBuildGeneral1Small, Image: aws.String("aws/codebuild/standard:7.0"),
			EnvironmentVariables: []types.EnvironmentVariable{{Name: aws.String("FROM"), Value: aws.String("project")}, {Name: aws.String("ALSO"), Value: aws.String("project")}},
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func zipTo(name string) *types.ProjectArtifacts {
	return &types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("artifacts"), Path: aws.String("pr1"), Name: &name, Packaging: types.ArtifactPackagingZip}
}

func (s *stage) start(in *codebuild.StartBuildInput) string {
	s.t.Helper()
	out, err := s.client.StartBuild(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	return *out.Build.Id
}

// end waits for the event of a build's end and returns both views of it.
func (s *stage) end(id string) (types.Build, ended) {
	s.t.Helper()
	var e ended
	if err := json.Unmarshal(<-s.events, &e); err != nil {
		s.t.Fatal(err)
	}
	out, err := s.client.BatchGetBuilds(s.t.Context(), &codebuild.BatchGetBuildsInput{Ids: []string{id}})
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Builds[0], e
}

// ended is what a receiver reads of the event.
type ended struct {
	Source     string `json:"source"`
	DetailType string `json:"detail-type"`
	Detail     struct {
		Status  string `json:"build-status"`
		BuildID string `json:"build-id"`
		Project string `json:"project-name"`
		More    struct {
			SourceVersion string `json:"source-version"`
			Logs          struct {
				Group  string `json:"group-name"`
				Stream string `json:"stream-name"`
			} `json:"logs"`
			Artifact struct {
				Location string `json:"location"`
			} `json:"artifact"`
			Phases []struct {
				Type    string   `json:"phase-type"`
				Status  string   `json:"phase-status"`
				Context []string `json:"phase-context"`
			} `json:"phases"`
		} `json:"additional-information"`
	} `json:"detail"`
}

func (s *stage) log(b types.Build) string {
	s.t.Helper()
	out, err := cloudwatchlogs.NewFromConfig(s.config).GetLogEvents(s.t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: b.Logs.GroupName, LogStreamName: b.Logs.StreamName, StartFromHead: aws.Bool(true),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var text strings.Builder
	for _, e := range out.Events {
		text.WriteString(strings.TrimSuffix(*e.Message, "\n") + "\n")
	}
	return text.String()
}

func statuses(b types.Build) map[string]string {
	out := map[string]string{}
	for _, p := range b.Phases {
		out[string(p.PhaseType)] = string(p.PhaseStatus)
	}
	return out
}

func (s *stage) artifact(key string) map[string]string {
	s.t.Helper()
	object, err := s3.NewFromConfig(s.config).GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: &key})
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := io.ReadAll(object.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			s.t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			s.t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}

// waitFor returns the text of the file that matches pattern, once there is any.
func (s *stage) waitFor(pattern string) string {
	s.t.Helper()
	for range 1200 {
		files, _ := filepath.Glob(filepath.Join(s.dir, pattern))
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
				return strings.TrimSpace(string(text))
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("no file %s", pattern)
	return ""
}
