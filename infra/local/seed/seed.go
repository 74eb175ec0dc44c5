// Package seed makes, in an empty AWS account that is an emulator, what a platform
// team has before it installs this suite: a load balancer with rules, a cluster with
// running services, queues, the default frontend; and what a deployment of the suite
// adds: table, buckets, secrets, catalog, build projects, state machine. It knows the
// catalog and the AWS API, and nothing of the functions.
package seed

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"previewenv/infra/local/git"
	"previewenv/infra/local/registry"
	"previewenv/lambdas/catalog"
)

const (
	// Account is the account that the emulator gives to whoever asks.
	Account = "123456789012"
	// staging names what belongs to the baseline and not to the suite.
	staging = "staging"
	// store is the KeyValueStore, which the emulator does not have; the edge serves it.
	store = "arn:aws:cloudfront::" + Account + ":key-value-store/local"
)

//go:embed catalog.yaml
var sample []byte

// Options say what to seed and with what.
type Options struct {
	Config aws.Config // its BaseEndpoint is the emulator, or what stands before it
	// Catalog is the text of a catalog with ${LISTENER} and ${BASE_DOMAIN} in it; nil
	// is that of the sample. What it names is made.
	Catalog    []byte
	Repository git.Repository // built at main
	Images     registry.Store
	Bin        string // folder of the docker command, see registry.BuildCommand
	// BaselineURL is the origin of the baseline: scheme, the catalog's baseline host,
	// and the port of the load balancer. The base domain is the host without its
	// first label.
	BaselineURL string
	// Prefix starts every name of the suite.
	Prefix string
	// Definition is the state machine with its function ARNs filled in; without it
	// none is made.
	Definition string
	Secrets    Secrets // themselves
	// Build builds one service; nil runs the commands of its buildspec by sh.
	Build func(context.Context, Build) error
}

// Result is where everything is.
type Result struct {
	BaseDomain     string
	VPC            string
	Subnets        []string
	SecurityGroup  string
	LoadBalancer   string            // ARN
	Listener       string            // ARN
	TargetGroups   map[string]string // ARN, by service of the catalog
	Cluster        string            // name
	Table          string            // name
	Stream         string            // ARN, of the table
	Site           string            // bucket
	Artifacts      string            // bucket
	Sources        string            // bucket, with versions
	Distribution   string            // id
	KeyValueStore  string            // ARN
	StateMachine   string            // ARN; empty without a definition
	Registry       string            // of the images of previews: host/prefix
	Images         map[string]string // of the baseline, by service of the catalog
	Queues         map[string]string // URL, by queue of the catalog
	Secrets        Secrets           // their Secrets Manager ARNs
	CatalogPath    string            // in SSM
	CatalogText    string            // with its placeholders filled in
	CatalogContent *catalog.Catalog
}

// Secrets are those that a deployment is given by reference.
type Secrets struct{ SlackToken, SlackSigningSecret, GitHubToken string }

// seeder is one run.
type seeder struct {
	Options
	Result
	clients
	baseline *url.URL
	commit   string // of main
}

// Baseline makes everything, from nothing; a second call on the same emulator is an
// error. The builds run beside the calls, so that it takes as long as they do.
func Baseline(ctx context.Context, o Options) (Result, error) {
	s := &seeder{Options: o, clients: newClients(o.Config), commit: o.Repository.Commits[git.Main]}
	if s.Options.Catalog == nil {
		s.Options.Catalog = sample
	}
	if s.Options.Build == nil {
		s.Options.Build = runBuildspec
	}
	if err := s.check(); err != nil {
		return Result{}, err
	}
	// The services wait for their images and are made last: an agent may start them
	// as soon as they are there.
	for _, step := range []func(context.Context) error{
		s.network, s.loadBalancer, s.readCatalog, s.queues, s.repositories, s.buildAndProvide, s.services,
	} {
		if err := step(ctx); err != nil {
			return Result{}, fmt.Errorf("seed baseline: %w", err)
		}
	}
	return s.Result, nil
}

func (s *seeder) check() error {
	var err error
	if s.baseline, err = url.Parse(s.BaselineURL); err != nil {
		return fmt.Errorf("read baseline URL: %w", err)
	}
	_, domain, ok := strings.Cut(s.baseline.Hostname(), ".")
	if !ok || s.Prefix == "" || s.commit == "" || s.Config.BaseEndpoint == nil {
		return fmt.Errorf("seed baseline: the options lack a baseline URL with a domain, a prefix, a repository with %s or an endpoint", git.Main)
	}
	s.BaseDomain, s.KeyValueStore = domain, store
	s.Registry = s.host() + "/" + s.Prefix
	s.CatalogPath = "/" + s.Prefix + "/catalog"
	s.TargetGroups, s.Result.Images, s.Queues = map[string]string{}, map[string]string{}, map[string]string{}
	return nil
}

// host is ECR's registry of the account.
func (s *seeder) host() string {
	return Account + ".dkr.ecr." + s.Config.Region + ".amazonaws.com"
}

func (s *seeder) role(name string) *string {
	return aws.String("arn:aws:iam::" + Account + ":role/" + name)
}

// readCatalog fills in the placeholders; what the text names is made from here on.
func (s *seeder) readCatalog(context.Context) error {
	s.CatalogText = strings.NewReplacer("${LISTENER}", s.Listener, "${BASE_DOMAIN}", s.BaseDomain).Replace(string(s.Options.Catalog))
	content, err := catalog.Parse([]byte(s.CatalogText))
	if err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	if content.Baseline.Host != s.baseline.Hostname() {
		return fmt.Errorf("read catalog: its baseline is %s, the URL is %s", content.Baseline.Host, s.BaselineURL)
	}
	s.CatalogContent, s.Cluster = content, content.Baseline.Cluster
	return nil
}

func (s *seeder) buildAndProvide(ctx context.Context) error {
	// The frontend is uploaded as soon as it is built.
	if err := s.buckets(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, step := range []func(context.Context) error{
		s.builds, s.rules, s.table, s.secrets, s.publish, s.projects, s.distribution, s.stateMachine,
	} {
		group.Go(func() error { return step(ctx) })
	}
	return group.Wait()
}
