package step

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

type codebuildAPI interface {
	StartBuild(context.Context, *codebuild.StartBuildInput, ...func(*codebuild.Options)) (*codebuild.StartBuildOutput, error)
	BatchGetBuilds(context.Context, *codebuild.BatchGetBuildsInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error)
}

type ecrAPI interface {
	BatchGetImage(context.Context, *ecr.BatchGetImageInput, ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error)
}

type artifactAPI interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
}

// Build is BuildBackend and BuildFrontend, and the end of a build. However many
// environments want a service at a commit, it is built once; all of them wait for
// that build by their task tokens.
type Build struct {
	Config    config.Build
	Settings  func(ctx context.Context) (*catalog.Settings, error)
	Services  func(ctx context.Context, names ...string) (map[string]catalog.Service, error)
	GitHub    tarballs
	Records   *record.Store
	CodeBuild codebuildAPI
	ECR       ecrAPI
	S3        artifactAPI
	Uploads   uploadAPI
	Logs      logsAPI
	SFN       waitEnder
	Now       func() time.Time
	Log       *slog.Logger
}

// Run sends the token back at once if the service is built at the commit, else
// joins the build that runs, else starts one. A retry joins again with its new
// token; the old one waits for nobody.
func (b *Build) Run(ctx context.Context, in statemachine.BuildInput) error {
	env, err := b.Records.Fence(ctx, in.Environment, in.Revision)
	if err != nil {
		return err
	}
	services, err := b.Services(ctx, in.Service)
	if err != nil {
		return err
	}
	one := job{Service: in.Service, Commit: env.Wanted.Commit, Definition: services[in.Service]}
	err = b.run(ctx, in, one)
	if err != nil && !passes(err) {
		f := named(err, in.Service, "build")
		if put := failService(ctx, b.Records, in.Environment, in.Service, in.Revision, f); put != nil {
			b.Log.Warn("fault not stored", "env", in.Environment, "name", in.Service)
		}
		return f
	}
	return err
}

// job is one service at one commit.
type job struct {
	Service    string
	Commit     string
	Definition catalog.Service
}

func (b *Build) run(ctx context.Context, in statemachine.BuildInput, j job) error {
	built, err := b.built(ctx, j)
	if err != nil {
		return err
	}
	waiter := record.Waiter{Environment: in.Environment, Revision: in.Revision, Token: in.TaskToken}
	if built {
		b.Log.Info("build reused", "env", in.Environment, "name", j.Service, "revision", in.Revision)
		return b.succeed(ctx, j, []record.Waiter{waiter}, "")
	}
	running, err := b.Records.JoinBuild(ctx, j.Service, j.Commit, waiter)
	if err != nil {
		return err
	}
	if running.ID != "" {
		return b.look(ctx, j, running)
	}
	version := running.Source
	if version == "" {
		if version, err = b.storeSource(ctx, j); err != nil {
			return err
		}
		version, err = b.Records.SourceOfBuild(ctx, j.Service, j.Commit, running.Attempt, version)
		if err != nil || version == "" {
			return err // the attempt has ended meanwhile, and who waited for it was told
		}
	}
	id, err := b.start(ctx, j, running, version)
	if err != nil {
		return err
	}
	return b.Records.StartedBuild(ctx, j.Service, j.Commit, running.Attempt, id)
}

// look asks after a build that another execution started: if its event was lost,
// nobody would ever be told.
func (b *Build) look(ctx context.Context, j job, running record.Build) error {
	out, err := b.CodeBuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{running.ID}})
	if err != nil {
		return fmt.Errorf("look at build %s: %w", running.ID, err)
	}
	if len(out.Builds) == 1 && !out.Builds[0].BuildComplete {
		return b.building(ctx, j, aws.ToString(out.Builds[0].Logs.DeepLink), running.Waiters)
	}
	if len(out.Builds) == 1 {
		return b.end(ctx, j, ended(out.Builds[0]))
	}
	return b.end(ctx, j, result{ID: running.ID, Status: "LOST"})
}

// start begins a build of exactly the version of the source; everything else is as the
// project says. The token makes a repeated start the same build: CodeBuild keeps it for
// 5 minutes, and takes it with the same version only (botocore, StartBuildInput).
func (b *Build) start(ctx context.Context, j job, running record.Build, version string) (string, error) {
	in := &codebuild.StartBuildInput{
		ProjectName:      aws.String(b.project(j.Service)),
		SourceVersion:    &version,
		IdempotencyToken: aws.String(hashOf(j.Service, j.Commit, strconv.Itoa(running.Attempt))),
	}
	out, err := b.CodeBuild.StartBuild(ctx, in)
	var full *cbtypes.AccountLimitExceededException
	if errors.As(err, &full) {
		return "", fault.New(statemachine.ErrThrottled, "CodeBuild runs as many builds as the account allows; this one waits.")
	}
	var missing *cbtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		return "", fault.New(statemachine.ErrNoBaseline, "there is no CodeBuild project %s.", b.project(j.Service)).
			WithNext("The platform team deploys the catalog's pipelines (cdk deploy).")
	}
	if err != nil {
		return "", fmt.Errorf("start build of %s at %s: %w", j.Service, j.Commit, err)
	}
	id := aws.ToString(out.Build.Id)
	b.Log.Info("build started", "name", j.Service, "commit", j.Commit, "build", id)
	link := ""
	if out.Build.Logs != nil {
		link = aws.ToString(out.Build.Logs.DeepLink)
	}
	return id, b.building(ctx, j, link, running.Waiters)
}

func (b *Build) project(service string) string { return b.Config.Prefix + "-ephemeral-" + service }

func hashOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16])
}
