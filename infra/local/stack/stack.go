// Package stack puts the parts of the local stack together: the emulator and the
// edge before it, the functions, the agents that give the emulator hands, Slack
// and GitHub, and the seeded baseline. It knows how they are wired and nothing of
// what they do.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/infra/local/alb"
	"previewenv/infra/local/ecs"
	"previewenv/infra/local/edge"
	"previewenv/infra/local/free"
	"previewenv/infra/local/function"
	"previewenv/infra/local/git"
	"previewenv/infra/local/kvs"
	"previewenv/infra/local/manner"
	"previewenv/infra/local/moto"
	"previewenv/infra/local/registry"
	"previewenv/infra/local/seed"
	"previewenv/infra/local/slack"
)

// Usual ports; any free one where they are taken.
const (
	awsPort     = 4566
	previewPort = 8080
	slackPort   = 8081
	albPort     = 8082
)

const (
	region = "us-east-1"
	prefix = "pv" // of every resource name
	domain = "localhost"
	github = "acme/shop"
)

// Options say where a stack lives and what differs from the usual.
type Options struct {
	Root    string // of this repository
	Dir     string // of the stack's files; below it everything is made anew
	Catalog []byte // nil is the sample's
	// BuildTimeout bounds a build instead of its project's minutes; 0 leaves them.
	BuildTimeout time.Duration
	// SweepEvery is how often the reaper is invoked; 0 is never.
	SweepEvery time.Duration
	Log        *slog.Logger
	// Running is how many states run at once; 0 is as many as two cores serve best.
	// More are of use where many of them wait.
	Running int
	// Spread gives the table an emulator of its own, which pays where many
	// environments live at once.
	Spread bool
	// Limits makes the edge refuse the functions what AWS would refuse an account: the
	// request rates and the quotas of ELBv2 and ECS (Edge.Throttle, Quotas).
	Limits bool
	// Manners are those of AWS that the emulator does not have; nil is none.
	Manners *manner.Manners
	// Tell is told in words what is being done; nil tells nobody.
	Tell func(format string, args ...any)
}

// Stack is a running local stack.
type Stack struct {
	Info       Info
	Config     aws.Config // of a client like any other
	Repository git.Repository
	Slack      *slack.Simulator
	Edge       *edge.Edge
	Seeded     seed.Result
	Store      *kvs.Store
	// Client sends requests for *.localhost to this machine, which not every
	// resolver does.
	Client *http.Client

	options    Options
	secrets    seed.Secrets
	told       told
	functions  *function.Functions
	ecs        *ecs.Agent
	alb        *alb.Balancer
	edgeURL    string
	listeners  map[string]net.Listener
	trouble    trouble
	violations violations
	closers    []func() error
	closing    sync.Once
	wait       sync.WaitGroup
}

// Start makes a stack and returns when every part answers and the baseline is
// healthy. What it started so far is closed when it fails.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.Tell == nil {
		o.Tell = func(string, ...any) {}
	}
	o.Tell("%s", o.Manners)
	s := &Stack{options: o, secrets: newSecrets(), Store: kvs.New(), listeners: map[string]net.Listener{}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if o.Limits {
		s.Edge.Throttle()
		s.Quotas()
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		s.folders, s.ports, s.emulator, s.sources, s.baseline, s.agents, s.doors, s.healthy, s.behave,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return s.writeInfo()
}

// folders makes the stack's files anew; what was built before is built again in
// no time.
func (s *Stack) folders(context.Context) error {
	for _, name := range []string{"images", "tasks", "builds", "logs", "sample.git"} {
		if err := os.RemoveAll(filepath.Join(s.options.Dir, name)); err != nil {
			return fmt.Errorf("clear %s: %w", name, err)
		}
	}
	return os.MkdirAll(filepath.Join(s.options.Dir, "logs"), 0o755)
}

func (s *Stack) ports(context.Context) error {
	for name, port := range map[string]int{"aws": awsPort, "preview": previewPort, "slack": slackPort, "alb": albPort} {
		l, err := free.Listen(port)
		if err != nil {
			return fmt.Errorf("listen for %s: %w", name, err)
		}
		s.listeners[name] = l
		s.closers = append(s.closers, l.Close)
	}
	return nil
}

func (s *Stack) port(name string) int { return s.listeners[name].Addr().(*net.TCPAddr).Port }

func (s *Stack) url(name string) string { return "http://127.0.0.1:" + strconv.Itoa(s.port(name)) }

// emulator starts moto and the edge before it.
func (s *Stack) emulator(ctx context.Context) error {
	s.options.Tell("starting the AWS emulator")
	log, err := s.logFile("moto")
	if err != nil {
		return err
	}
	options := moto.Options{Python: filepath.Join(s.options.Root, ".local", "venv", "bin"), EdgePort: s.port("aws"), Log: log}
	server, err := moto.Start(ctx, options)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, server.Close)
	s.Edge = edge.New(server.URL, s.options.Log)
	// The interpreter of Step Functions keeps a whole core busy when twenty
	// executions start at once; Slack's door must not wait for it.
	if err := s.own(ctx, options, "states"); err != nil {
		return err
	}
	if s.options.Spread {
		if err := s.own(ctx, options, "dynamodb", "dynamodbstreams"); err != nil {
			return err
		}
	}
	if err := s.judge(); err != nil {
		return err
	}
	s.serve("aws", s.Edge)
	s.edgeURL = s.url("aws")
	s.Config = clientConfig(s.edgeURL, "local")
	s.Client = proxied(s.edgeURL)
	return nil
}

// own starts an emulator for some services alone.
func (s *Stack) own(ctx context.Context, options moto.Options, services ...string) error {
	server, err := moto.Start(ctx, options)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, server.Close)
	s.Edge.Own(server.URL, services...)
	return nil
}

// sources makes the sample repository, the functions and the docker command, side
// by side with nothing: the Go tool uses both cores by itself.
func (s *Stack) sources(ctx context.Context) error {
	var err error
	if s.Repository, err = git.Seed(ctx, s.options.Dir, filepath.Join(s.options.Root, "testdata", "sample")); err != nil {
		return err
	}
	s.options.Tell("building the functions")
	if err := registry.BuildCommand(ctx, s.options.Root, s.bin()); err != nil {
		return err
	}
	return buildFunctions(ctx, s.options.Root, s.functionDir())
}

func (s *Stack) bin() string         { return filepath.Join(s.options.Dir, "bin") }
func (s *Stack) functionDir() string { return filepath.Join(s.options.Dir, "functions") }

func (s *Stack) images() registry.Store {
	return registry.Store{Dir: filepath.Join(s.options.Dir, "images")}
}

// baseline seeds what the platform team has, and what a deployment adds.
func (s *Stack) baseline(ctx context.Context) error {
	s.options.Tell("building and seeding the baseline")
	var err error
	s.Seeded, err = seed.Baseline(ctx, seed.Options{
		Config: s.Config, Catalog: s.options.Catalog, Repository: s.Repository, Images: s.images(), Bin: s.bin(),
		BaselineURL: "http://staging." + domain + ":" + strconv.Itoa(s.port("alb")), Prefix: prefix,
		Definition: definition(), Secrets: s.secrets,
	})
	return err
}

// Close stops everything that Start began, in reverse.
func (s *Stack) Close() error {
	var errs []error
	s.closing.Do(func() {
		for i := len(s.closers) - 1; i >= 0; i-- {
			if err := s.closers[i](); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		s.wait.Wait()
	})
	return errors.Join(errs...)
}

// serve answers on a listener until Close.
func (s *Stack) serve(name string, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn)}
	s.wait.Go(func() {
		if err := server.Serve(s.listeners[name]); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.options.Log.Error("server ended", "part", name, "error", err)
		}
	})
	s.closers = append(s.closers, server.Close)
}

func (s *Stack) logFile(name string) (io.Writer, error) {
	f, err := os.OpenFile(filepath.Join(s.options.Dir, "logs", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	s.closers = append([]func() error{f.Close}, s.closers...)
	return f, nil
}
