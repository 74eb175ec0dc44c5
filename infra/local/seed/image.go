package seed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"golang.org/x/sync/errgroup"
	"gopkg.in/yaml.v3"

	"previewenv/infra/local/registry"
)

// Build is one build of a service of the baseline.
type Build struct {
	Service     string
	Dir         string   // a worktree; builds of other services share it
	Buildspec   string   // below Dir
	Environment []string // the whole of it, as NAME=value
}

// repositories makes two ECR repositories a backend: the baseline's and that of the
// previews. Tags are commits, so they may not be moved.
func (s *seeder) repositories(ctx context.Context) error {
	for _, name := range s.backends() {
		for _, owner := range []string{staging, s.Prefix} {
			_, err := s.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{
				RepositoryName: aws.String(owner + "/" + name), ImageTagMutability: types.ImageTagMutabilityImmutable,
			})
			if err != nil {
				return fmt.Errorf("create repository %s/%s: %w", owner, name, err)
			}
		}
		s.Result.Images[name] = s.host() + "/" + staging + "/" + name + ":" + s.commit
	}
	return nil
}

// builds builds main, all services side by side, and uploads the frontends.
func (s *seeder) builds(ctx context.Context) error {
	parent, err := os.MkdirTemp("", "baseline-")
	if err != nil {
		return fmt.Errorf("make worktree: %w", err)
	}
	defer func() { _ = os.RemoveAll(parent) }()
	dir := filepath.Join(parent, "src")
	if err := s.Repository.CheckOut(ctx, s.commit, dir); err != nil {
		return err
	}
	credentials, err := s.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("read credentials: %w", err)
	}
	environment := append(os.Environ(),
		"PATH="+s.Bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		registry.DirVariable+"="+s.Options.Images.Dir,
		"CODEBUILD_RESOLVED_SOURCE_VERSION="+s.commit,
		"AWS_ENDPOINT_URL="+*s.Config.BaseEndpoint, "AWS_REGION="+s.Config.Region,
		"AWS_ACCESS_KEY_ID="+credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+credentials.SecretAccessKey,
	)
	group, ctx := errgroup.WithContext(ctx)
	for name, service := range s.CatalogContent.Services {
		build := Build{
			Service: name, Dir: dir, Buildspec: service.Build.Buildspec,
			Environment: append(environment[:len(environment):len(environment)], "IMAGE_REPOSITORY="+s.host()+"/"+staging+"/"+name),
		}
		group.Go(func() error {
			if err := s.Options.Build(ctx, build); err != nil {
				return fmt.Errorf("build %s: %w", name, err)
			}
			if service.Frontend == nil {
				return nil
			}
			output := filepath.Join(dir, filepath.FromSlash(path.Dir(service.Build.Buildspec)), filepath.FromSlash(service.Frontend.Output))
			return s.upload(ctx, output)
		})
	}
	return group.Wait()
}

// buildspec is the part of a buildspec that makes something.
type buildspec struct {
	Phases map[string]struct {
		Commands []string `yaml:"commands"`
	} `yaml:"phases"`
}

// runBuildspec runs the commands of a buildspec, in one shell, until one fails.
func runBuildspec(ctx context.Context, b Build) error {
	text, err := os.ReadFile(filepath.Join(b.Dir, filepath.FromSlash(b.Buildspec)))
	if err != nil {
		return fmt.Errorf("read buildspec: %w", err)
	}
	var spec buildspec
	if err := yaml.Unmarshal(text, &spec); err != nil {
		return fmt.Errorf("read buildspec %s: %w", b.Buildspec, err)
	}
	var commands []string
	for _, phase := range []string{"install", "pre_build", "build", "post_build"} {
		commands = append(commands, spec.Phases[phase].Commands...)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", strings.Join(commands, "\n"))
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.Dir, b.Environment, &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w:\n%s", b.Buildspec, err, out.Bytes())
	}
	return nil
}
