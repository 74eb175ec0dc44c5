package step

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/lambdas/internal/source"
	"previewenv/statemachine"
)

const (
	built   = "1111111111111111111111111111111111111111"
	another = "2222222222222222222222222222222222222222"
)

// hub is GitHub: it has the source of one commit, and counts who asks.
type hub struct {
	commit string
	text   string
	asked  int
	repo   string
}

func (h *hub) Tarball(_ context.Context, repo, _ string) (io.ReadCloser, error) {
	h.asked++
	h.repo = repo
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	err := errors.Join(
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": h.commit}}),
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "acme-shop-1/main.go", Mode: 0o644, Size: int64(len(h.text))}),
	)
	if err == nil {
		_, err = io.WriteString(w, h.text)
	}
	return io.NopCloser(&out), errors.Join(err, w.Close(), zipped.Close())
}

// project is CodeBuild: it keeps what it was started with, one build a token.
type project struct {
	started []*codebuild.StartBuildInput
	output  string
}

func (p *project) StartBuild(_ context.Context, in *codebuild.StartBuildInput, _ ...func(*codebuild.Options)) (*codebuild.StartBuildOutput, error) {
	for _, before := range p.started {
		if *before.IdempotencyToken == *in.IdempotencyToken && *before.SourceVersion != *in.SourceVersion {
			return nil, &cbtypes.InvalidInputException{Message: aws.String("other parameters with the same token")}
		}
	}
	p.started = append(p.started, in)
	return &codebuild.StartBuildOutput{Build: &cbtypes.Build{Id: aws.String("pv-ephemeral-service1:1")}}, nil
}

func (p *project) BatchGetBuilds(context.Context, *codebuild.BatchGetBuildsInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error) {
	if len(p.started) == 0 {
		return &codebuild.BatchGetBuildsOutput{}, nil
	}
	last := p.started[len(p.started)-1]
	return &codebuild.BatchGetBuildsOutput{Builds: []cbtypes.Build{{
		Id: aws.String("pv-ephemeral-service1:1"), SourceVersion: last.SourceVersion, Artifacts: &cbtypes.BuildArtifacts{Location: &p.output},
	}}}, nil
}

// told are the executions that wait.
type told struct{ ended []string }

func (w *told) SendTaskSuccess(_ context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error) {
	w.ended = append(w.ended, *in.TaskToken)
	return &sfn.SendTaskSuccessOutput{}, nil
}

func (w *told) SendTaskFailure(_ context.Context, in *sfn.SendTaskFailureInput, _ ...func(*sfn.Options)) (*sfn.SendTaskFailureOutput, error) {
	w.ended = append(w.ended, *in.TaskToken+" failed")
	return &sfn.SendTaskFailureOutput{}, nil
}

// bench is a build function whose AWS is the emulator, but for CodeBuild.
type bench struct {
	*Build
	hub     *hub
	project *project
	told    *told
	s3      *s3.Client
}

func newBench(t *testing.T, service catalog.Service) *bench {
	t.Helper()
	cfg := awstest.Config(t)
	client, table := awstest.Table(t, cfg)
	records := record.New(client, table)
	if _, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
		env.State, env.Revision, env.Wanted = record.Building, 1, request.Wanted{Commit: built}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := records.SetService(t.Context(), "pr1", "service1", 1, func(row *record.Service) { row.Commit = built }); err != nil {
		t.Fatal(err)
	}
	objects := s3.NewFromConfig(awstest.Quiet(cfg), func(o *s3.Options) { o.UsePathStyle = true })
	for _, bucket := range []string{"artifacts", "sources"} {
		if _, err := objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := objects.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("sources"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	images := ecr.NewFromConfig(awstest.Quiet(cfg))
	if _, err := images.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("pv/service1")}); err != nil {
		t.Fatal(err)
	}
	b := &bench{hub: &hub{commit: built, text: "package main"}, project: &project{}, told: &told{}, s3: objects}
	b.Build = &Build{
		Config:  config.Build{Names: config.Names{Prefix: "pv"}, Registry: "registry/pv", Artifacts: "artifacts", Sources: "sources"},
		Records: records, ECR: images, S3: objects, Uploads: transfermanager.New(objects), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		GitHub: b.hub, CodeBuild: b.project, SFN: b.told,
		Settings: func(context.Context) (*catalog.Settings, error) {
			return &catalog.Settings{Repositories: map[string]catalog.Repository{"shop": {GitHub: "acme/shop"}}}, nil
		},
		Services: func(context.Context, ...string) (map[string]catalog.Service, error) {
			return map[string]catalog.Service{"service1": service}, nil
		},
	}
	return b
}

func (b *bench) ask(t *testing.T, token string) error {
	t.Helper()
	return b.Run(t.Context(), statemachine.BuildInput{Environment: "pr1", Revision: 1, Service: "service1", TaskToken: token})
}

func TestABuildReadsTheVersionThatHoldsItsCommitAndOverridesNothing(t *testing.T) {
	b := newBench(t, catalog.Service{Repository: "shop"})
	if err := b.ask(t, "one"); err != nil {
		t.Fatal(err)
	}
	// Another commit's source comes after it, under the same key.
	if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("sources"), Key: aws.String(sourceKey("service1"))}); err != nil {
		t.Fatal(err)
	}
	in := b.project.started[0]
	object, err := b.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("sources"), Key: aws.String("sources/service1.zip"), VersionId: in.SourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(z.File) != 2 || z.File[0].Name != source.CommitFile || z.File[1].Name != "main.go" {
		t.Errorf("the build reads %v, %v", z, err)
	}
	if b.hub.repo != "acme/shop" || object.Metadata["commit"] != built {
		t.Errorf("from %s of %v", b.hub.repo, object.Metadata)
	}
	want := codebuild.StartBuildInput{ProjectName: in.ProjectName, SourceVersion: in.SourceVersion, IdempotencyToken: in.IdempotencyToken}
	if diff := cmp.Diff(want, *in, cmpopts.IgnoreUnexported(codebuild.StartBuildInput{})); diff != "" {
		t.Errorf("the build is started with more than its source:\n%s", diff)
	}
}

func TestAStartThatIsRepeatedBuildsTheSameVersion(t *testing.T) {
	b := newBench(t, catalog.Service{Repository: "shop"})
	if err := b.ask(t, "one"); err != nil {
		t.Fatal(err)
	}
	// The function died before it noted what CodeBuild called the build.
	running, err := b.Records.JoinBuild(t.Context(), "service1", built, record.Waiter{Environment: "pr1", Revision: 1, Token: "two"})
	if err != nil || running.Source != *b.project.started[0].SourceVersion {
		t.Fatalf("the row has source %q, %v", running.Source, err)
	}
	running.ID = ""
	if _, err := b.start(t.Context(), job{Service: "service1", Commit: built}, running, running.Source); err != nil {
		t.Error(err)
	}
	second, err := b.Records.SourceOfBuild(t.Context(), "service1", built, running.Attempt, "of somebody who was slower")
	if err != nil || second != running.Source {
		t.Errorf("who stored a source later builds %q, %v, want %q", second, err, running.Source)
	}
}

func TestAnEndThatIsToldBeforeTheBuildIsNotedFindsWhoWaits(t *testing.T) {
	b := newBench(t, catalog.Service{Repository: "shop"})
	j := job{Service: "service1", Commit: built, Definition: catalog.Service{Repository: "shop"}}
	running, err := b.Records.JoinBuild(t.Context(), "service1", built, record.Waiter{Environment: "pr1", Revision: 1, Token: "early"})
	if err != nil {
		t.Fatal(err)
	}
	version, err := b.storeSource(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.start(t.Context(), j, running, version); err != nil {
		t.Fatal(err)
	}
	var event BuildEvent
	event.Detail.Project, event.Detail.Status, event.Detail.ID = "pv-ephemeral-service1", "FAILED", "arn:aws:codebuild:us-east-1:1:build/pv-ephemeral-service1:1"
	for range 2 {
		if err := b.Ended(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.told.ended) != 1 || b.told.ended[0] != "early failed" {
		t.Errorf("told: %v", b.told.ended)
	}
}

func TestASourceThatIsNotTheCommitsIsNotBuilt(t *testing.T) {
	for rule, test := range map[string]struct {
		hub  hub
		want string
	}{
		"another commit": {hub{commit: another, text: "package main"}, statemachine.ErrInternal},
		"none":           {hub{commit: "", text: "package main"}, statemachine.ErrInternal},
	} {
		t.Run(rule, func(t *testing.T) {
			b := newBench(t, catalog.Service{Repository: "shop"})
			b.GitHub = &test.hub
			err := b.ask(t, "one")
			if f := fault.As(err); f == nil || f.Name != test.want || !strings.Contains(f.What, built) || f.Next == "" {
				t.Errorf("Run = %v", err)
			}
			versions, err := b.s3.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String("sources")})
			if err != nil || len(versions.Versions) > 0 || len(b.project.started) > 0 {
				t.Errorf("stored %d, started %d, %v", len(versions.Versions), len(b.project.started), err)
			}
		})
	}
}

func TestTheOutputOfABuildIsKeptForItsOwnCommitAlone(t *testing.T) {
	b := newBench(t, catalog.Service{Repository: "shop", Frontend: &catalog.Frontend{Output: "dist"}})
	j := job{Service: "service1", Commit: built, Definition: catalog.Service{Frontend: &catalog.Frontend{Output: "dist"}}}
	put := func(key string) {
		t.Helper()
		if _, err := b.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("artifacts"), Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	put("outputs/service1/1/output.zip")
	put("outputs/other/1/output.zip")
	for _, test := range []struct {
		rule, output string
		want         bool
	}{
		{"nothing was left", "arn:aws:s3:::artifacts/outputs/service1/2/output.zip", false},
		{"another service's", "arn:aws:s3:::artifacts/outputs/other/1/output.zip", false},
		{"another bucket's", "arn:aws:s3:::elsewhere/outputs/service1/1/output.zip", false},
		{"no place", "", false},
		{"its own", "arn:aws:s3:::artifacts/outputs/service1/1/output.zip", true},
	} {
		kept, err := b.left(t.Context(), j, result{Output: test.output})
		there, looked := b.built(t.Context(), j)
		if kept != test.want || there != test.want || err != nil || looked != nil {
			t.Errorf("%s: kept %v, there %v, %v, %v", test.rule, kept, there, err, looked)
		}
	}
}
