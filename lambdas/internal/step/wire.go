package step

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/baseline"
	"previewenv/lambdas/internal/github"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/secret"
	"previewenv/lambdas/internal/slack"
	"previewenv/lambdas/kinds"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/lambdas/kinds/queue"
	"previewenv/lambdas/kinds/route"
	"previewenv/lambdas/kinds/rule"
	"previewenv/lambdas/kinds/service"
	"previewenv/lambdas/kinds/targetgroup"
)

// removalPatience is how long one resource is tried before it is left for the next
// sweep: an ECS service that drains and a queue's deletion end well within it.
const removalPatience = 10 * time.Minute

// answerPatience is how long an override may not answer through the public URL
// after it was published. Rules and keys propagate within seconds by common report;
// AWS gives no figure.
const answerPatience = 3 * time.Minute

// slackTimeout leaves room for a second call within the 3 s of the door.
const slackTimeout = 2 * time.Second

func records(cfg aws.Config, c config.Records) *record.Store {
	return record.New(dynamodb.NewFromConfig(cfg), c.Table)
}

func catalogReader(cfg aws.Config, prefix string) *catalog.Cache {
	return catalog.NewCache(catalog.Reader{API: ssm.NewFromConfig(cfg), Prefix: prefix})
}

// Guard is law 9 as a function's configuration has it.
func Guard(n config.Names) guard.Guard {
	return guard.Guard{Prefix: n.Prefix, BaseDomain: n.BaseDomain()}
}

// NewResource makes the step of a kind. What a kind can do besides is set by its
// function.
func NewResource(name string, k kind.Kind, cfg aws.Config, c config.Resource) *Resource {
	return &Resource{
		Kind: k, KindName: name, Records: records(cfg, c.Records), ManagedBy: c.Prefix,
		Log: slog.Default(), Now: time.Now,
	}
}

// ServesService makes the step show its work on the row of the service; its faults
// name the step as given.
func (s *Resource) ServesService(name string) {
	s.StateName, s.Meanwhile = name, record.ServiceDeploying
}

// MakesReady makes the end of the wait mark the environment as ready.
func (s *Resource) MakesReady() {
	s.Awaited, s.Patience, s.StateName = MarkReady(s.Records, s.Log), answerPatience, "route"
}

func room(cfg aws.Config, n config.Names) capacity {
	reader := &baseline.Reader{ELB: elb.NewFromConfig(cfg)}
	return capacity{prefix: n.Prefix, places: reader.Places}
}

// NewPlan makes ExtractConfigurations and Recover.
func NewPlan(cfg aws.Config, c config.Plan) (*Extract, *Recover, error) {
	commits, err := lookups(cfg, c.GitHub)
	if err != nil {
		return nil, nil, err
	}
	reader := catalogReader(cfg, c.Catalog)
	store := records(cfg, c.Records)
	planner := &Planner{
		Config: c, Services: reader.Services, Records: store, Secrets: secretsmanager.NewFromConfig(cfg),
		Baseline: &baseline.Reader{ECS: ecs.NewFromConfig(cfg), ELB: elb.NewFromConfig(cfg), SQS: sqs.NewFromConfig(cfg)},
	}
	return &Extract{
			Settings: reader.Settings, Services: reader.Services, GitHub: commits,
			Planner: planner, Records: store, SFN: sfn.NewFromConfig(cfg), capacity: room(cfg, c.Names), Log: slog.Default(),
		}, &Recover{
			Settings: reader.Settings, Planner: planner, Records: store, Log: slog.Default(),
		}, nil
}

func lookups(cfg aws.Config, c config.GitHub) (*github.Client, error) {
	return github.With(c.API, secret.New(secretsmanager.NewFromConfig(cfg)).Of(c.Token))
}

// NewBuild makes BuildBackend, BuildFrontend and the end of a build.
func NewBuild(cfg aws.Config, c config.Build) (*Build, error) {
	sources, err := lookups(cfg, c.GitHub)
	if err != nil {
		return nil, err
	}
	reader := catalogReader(cfg, c.Catalog)
	objects := s3.NewFromConfig(cfg)
	return &Build{
		Config: c, Settings: reader.Settings, Services: reader.Services, GitHub: sources, Records: records(cfg, c.Records),
		CodeBuild: codebuild.NewFromConfig(cfg), ECR: ecr.NewFromConfig(cfg), S3: objects, Uploads: transfermanager.New(objects),
		Logs: cloudwatchlogs.NewFromConfig(cfg), SFN: sfn.NewFromConfig(cfg), Now: time.Now, Log: slog.Default(),
	}, nil
}

// NewHold makes ClaimExpiry, Hold and ClaimRemoval.
func NewHold(cfg aws.Config, c config.Hold) *Hold {
	return &Hold{
		Settings: catalogReader(cfg, c.Catalog).Settings, Records: records(cfg, c.Records),
		SFN: sfn.NewFromConfig(cfg), Now: time.Now, Log: slog.Default(),
	}
}

// NewCleanUp makes CleanUp.
func NewCleanUp(cfg aws.Config, c config.CleanUp) *CleanUp {
	return &CleanUp{Records: records(cfg, c.Records), Patience: removalPatience, Now: time.Now, Log: slog.Default()}
}

// How long a sweep waits for the resources of one rank: an ECS service drains within
// a minute of its tasks' stop time-outs; the next sweep is five minutes away.
const (
	rankPatience = time.Minute
	rankPause    = 2 * time.Second
)

// NewReap makes the reaper.
func NewReap(cfg aws.Config, c config.Reap) *Reap {
	g := Guard(c.Names)
	return &Reap{
		Settings: catalogReader(cfg, c.Catalog).Settings, Records: records(cfg, c.Records),
		Kinds: sweepable(map[string]kind.Sweepable{
			"route": route.FromConfig(cfg, g), "rule": rule.FromConfig(cfg, g), "service": service.FromConfig(cfg, g),
			"targetgroup": targetgroup.FromConfig(cfg, g), "queue": queue.FromConfig(cfg, g), "frontend": frontend.FromConfig(cfg, g),
		}),
		Tags: resourcegroupstaggingapi.NewFromConfig(cfg), SFN: sfn.NewFromConfig(cfg),
		ManagedBy: c.Prefix, Machine: c.StateMachine, Grace: c.Grace,
		Bounds:   kind.Bounds{Site: c.Site, Distribution: c.Distribution, KeyValueStore: c.KeyValueStore},
		Patience: rankPatience, Pause: rankPause, Now: time.Now, Log: slog.Default(),
	}
}

// sweepable are all kinds in the order of their removal; one that is missing here is
// a defect that the reaper's test names.
func sweepable(made map[string]kind.Sweepable) []Swept {
	var all []Swept
	for _, info := range kinds.All {
		all = append(all, Swept{Info: info, Sweepable: made[info.Name]})
	}
	return all
}

// NewNotify makes the function behind the table's stream.
func NewNotify(cfg aws.Config, c config.Notify) *Notify {
	return &Notify{
		Records: records(cfg, c.Records), Settings: catalogReader(cfg, c.Catalog).Settings,
		Slack: slackClient(cfg, c.Slack), Console: c.Console, Now: time.Now, Log: slog.Default(),
	}
}

// NewDoor makes the function behind Slack's commands, forms and buttons.
func NewDoor(cfg aws.Config, c config.Door) (*Door, error) {
	commits, err := lookups(cfg, c.GitHub)
	if err != nil {
		return nil, err
	}
	reader := catalogReader(cfg, c.Catalog)
	return &Door{
		Config:        c,
		SigningSecret: secret.New(secretsmanager.NewFromConfig(cfg)).Of(c.SigningSecret),
		Slack:         slackClient(cfg, c.Slack),
		Settings:      reader.Settings, Services: reader.Services, GitHub: commits,
		Records: records(cfg, c.Records), SFN: sfn.NewFromConfig(cfg), capacity: room(cfg, c.Names), Now: time.Now, Log: slog.Default(),
	}, nil
}

func slackClient(cfg aws.Config, c config.Slack) func(context.Context) (*slack.Client, error) {
	token := secret.New(secretsmanager.NewFromConfig(cfg)).Of(c.Token)
	client := slack.With(token, c.API, &http.Client{Timeout: slackTimeout})
	return func(context.Context) (*slack.Client, error) { return client, nil }
}
