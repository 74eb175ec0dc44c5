package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"previewenv/infra/local/function"
)

// names are the functions of the suite: the folders in lambdas/ that hold one.
var names = []string{
	"build", "cleanup", "frontend", "hold", "notify", "plan", "queue", "reap", "route", "rule", "service", "slack", "targetgroup",
}

// buildFunctions builds all functions at once, as they are deployed but for the
// processor.
func buildFunctions(ctx context.Context, root, dir string) error {
	args := []string{"build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", dir + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, "./lambdas/"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build functions: %w: %s", err, out)
	}
	return nil
}

// Deploy has the named functions run what lies in a folder, and all others what was
// built of this tree.
func (s *Stack) Deploy(dir string, of ...string) error {
	for _, name := range names {
		from := s.functionDir()
		if slices.Contains(of, name) {
			from = dir
		}
		if err := s.functions.Use(name, filepath.Join(from, name)); err != nil {
			return err
		}
	}
	return nil
}

// Names are those of all functions.
func Names() []string { return slices.Clone(names) }

// BuildRelease builds the functions of an earlier commit of this repository into a
// folder of its own below .local, once, and returns it.
func BuildRelease(ctx context.Context, root, commit string) (string, error) {
	dir := filepath.Join(root, ".local", "releases", commit)
	source, built := filepath.Join(dir, "source"), filepath.Join(dir, "functions")
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(source, 0o755)); err != nil {
		return "", fmt.Errorf("clear release %s: %w", commit, err)
	}
	archive := filepath.Join(dir, "source.tar")
	for _, args := range [][]string{
		{"git", "-C", root, "archive", "--output", archive, commit},
		{"tar", "-xf", archive, "-C", source},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("unpack release %s: %w: %s", commit, err, out)
		}
	}
	// What is half built is not taken for a release the next time.
	unfinished := built + ".unfinished"
	if err := os.MkdirAll(unfinished, 0o755); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if err := buildFunctions(ctx, source, unfinished); err != nil {
		return "", err
	}
	return built, os.Rename(unfinished, built)
}

// concurrency of one function: AWS allows 1,000 an account, two cores far less.
const concurrency = 20

func (s *Stack) startFunctions() error {
	binaries := map[string]string{}
	logs := map[string]io.Writer{}
	for _, name := range names {
		log, err := s.logFile(name)
		if err != nil {
			return err
		}
		binaries[name], logs[name] = filepath.Join(s.functionDir(), name), log
	}
	s.functions = function.New(function.Options{
		Binaries: binaries, Region: region, Concurrency: concurrency, Timeout: 2 * time.Minute,
		Log:         func(name string) io.Writer { return logs[name] },
		Environment: func(string) []string { return append(s.clientEnvironment(), s.settings()...) },
	})
	s.closers = append(s.closers, s.functions.Close)
	s.Edge.Serving(s.functions.Serving)
	s.Edge.Kills(s.functions)
	s.Edge.Handle("lambda", "Invoke", atMost(cmp.Or(s.options.Running, running), s.told.taskTokens(s.functions.Handler())))
	return nil
}

// grace is shorter than on AWS: an execution begins here within a second or two, and
// who looks at a sweep does not want to wait.
const grace = 5 * time.Second

// running is how many states run at once. More would only take the processor from
// each other, and from Slack's door, which is not among them.
const running = 4

func atMost(n int, h http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slots <- struct{}{}
		defer func() { <-slots }()
		h.ServeHTTP(w, r)
	})
}

// clientEnvironment makes the default SDK client of any process a client of the
// edge. The KeyValueStore's puts the account before the host, which the proxy
// understands.
func (s *Stack) clientEnvironment() []string {
	return []string{
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ENDPOINT_URL=" + s.edgeURL,
		"AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE=http://localhost:" + strconv.Itoa(s.port("aws")),
		"HTTP_PROXY=" + s.edgeURL, "http_proxy=" + s.edgeURL,
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// settings is what the functions' configurations load.
func (s *Stack) settings() []string {
	return []string{
		"TABLE=" + s.Seeded.Table, "PREFIX=" + prefix, "CATALOG=" + s.Seeded.CatalogPath,
		"PREVIEW_URL=" + s.previewURL(),
		"GITHUB_API=" + s.url("slack") + "/github/",
		"SLACK_API=" + s.url("slack") + "/api/",
		"SLACK_TOKEN_SECRET=" + s.Seeded.Secrets.SlackToken, "SLACK_SIGNING_SECRET=" + s.Seeded.Secrets.SlackSigningSecret,
		"GITHUB_TOKEN_SECRET=" + s.Seeded.Secrets.GitHubToken,
		"STATE_MACHINE=" + s.Seeded.StateMachine,
		"REGISTRY=" + s.Seeded.Registry, "ARTIFACTS=" + s.Seeded.Artifacts, "SOURCES=" + s.Seeded.Sources, "SITE=" + s.Seeded.Site,
		"DISTRIBUTION=" + s.Seeded.Distribution, "KEY_VALUE_STORE=" + s.Seeded.KeyValueStore,
		"REAP_GRACE=" + grace.String(),
	}
}

func (s *Stack) previewURL() string {
	return "http://{label}." + domain + ":" + strconv.Itoa(s.port("preview"))
}
