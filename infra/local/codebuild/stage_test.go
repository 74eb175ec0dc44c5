package codebuild

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
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
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/moto"
)

// stage is a CodeBuild behind an edge before a real emulator, with two versions of a
// source, neither of which is the newest.
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
	options.Config, options.Dir = s.config, s.dir
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
	objects := s3.NewFromConfig(s.config)
	if _, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("artifacts")}); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("artifacts"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	s.first, s.second = s.store(specs, "one"), s.store(specs, "two")
	s.store(specs, "newest")
	return s
}

// store puts a source with the specs and a version into the bucket.
func (s *stage) store(specs map[string]string, text string) (version string) {
	s.t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name, text string, mode fs.FileMode) {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(mode)
		w, err := z.CreateHeader(header)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	for name, spec := range specs {
		add(name, "version: 0.2\n"+spec, 0o644)
	}
	add("version.txt", text, 0o644)
	add("show", "#!/bin/sh\ncat \"$(dirname \"$0\")/link\"\n", 0o755)
	add("link", "version.txt", fs.ModeSymlink|0o777)
	if err := z.Close(); err != nil {
		s.t.Fatal(err)
	}
	put, err := s3.NewFromConfig(s.config).PutObject(s.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("artifacts"), Key: aws.String("sources/shop.zip"), Body: bytes.NewReader(out.Bytes()),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return *put.VersionId
}

func (s *stage) project(name, buildspec string) {
	s.t.Helper()
	_, err := s.client.CreateProject(s.t.Context(), &codebuild.CreateProjectInput{
		Name: &name, ServiceRole: aws.String("arn:aws:iam::123456789012:role/build"),
		Source:    &types.ProjectSource{Type: types.SourceTypeS3, Location: aws.String("artifacts/sources/shop.zip"), Buildspec: &buildspec},
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
