// Package codebuild runs builds as AWS CodeBuild does, on this machine: it unpacks
// the source from S3, runs the buildspec's phases in a shell, uploads the artifacts
// and says how it ended. Projects live in the emulator and are read from there.
// It knows nothing of environments or of the state machine.
package codebuild

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// account is the account of every ARN here, which is moto's own.
const account = "123456789012"

// idempotency is how long a token stands for its build (botocore, StartBuildInput).
const idempotency = 5 * time.Minute

// Operations are the operations of CodeBuild that Builds answers.
var Operations = []string{"StartBuild", "BatchGetBuilds", "StopBuild", "ListBuildsForProject"}

// Options say how to build.
type Options struct {
	// Dir holds the builds' folders, which go with them, and their logs, which stay.
	Dir string
	// Path is put before the machine's PATH.
	Path []string
	// Environment is added to every build's, as KEY=value.
	Environment []string
	// Config is for S3, Logs and the projects; builds get its Region and endpoint.
	Config aws.Config
	// Timeout of every build; 0 is the project's.
	Timeout time.Duration
	// Concurrency is how many builds run at once, others are queued; 0 is 2.
	Concurrency int
	// OnEvent takes the EventBridge event of each build that ended; nil is nobody.
	OnEvent func(ctx context.Context, event json.RawMessage)
}

// Builds is CodeBuild's builds.
type Builds struct {
	options  Options
	projects *codebuild.Client
	s3       *s3.Client
	logs     *cloudwatchlogs.Client

	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{}
	all    sync.WaitGroup

	mu     sync.Mutex
	builds map[string]*build
	order  []string
	tokens map[string]token
}

type token struct {
	build, input string
	at           time.Time
}

// New returns a CodeBuild without builds.
func New(o Options) *Builds {
	if o.Concurrency == 0 {
		o.Concurrency = 2
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Builds{
		options:  o,
		projects: codebuild.NewFromConfig(o.Config),
		s3:       s3.NewFromConfig(o.Config),
		logs:     cloudwatchlogs.NewFromConfig(o.Config),
		ctx:      ctx, cancel: cancel,
		slots:  make(chan struct{}, o.Concurrency),
		builds: map[string]*build{}, tokens: map[string]token{},
	}
}

// Close stops every build and waits for the ends; their events are not sent.
func (b *Builds) Close() error {
	b.cancel()
	b.all.Wait()
	return nil
}

// start makes a build and lets it run.
func (b *Builds) start(ctx context.Context, in startInput) (*build, error) {
	project, err := b.project(ctx, in.ProjectName)
	if err != nil {
		return nil, err
	}
	spec, err := merge(project, in)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("marshal input: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if in.IdempotencyToken != "" {
		old, ok := b.tokens[in.IdempotencyToken]
		if ok && time.Since(old.at) < idempotency {
			if old.input != string(raw) {
				return nil, invalid("the parameters differ from those of the first call with this idempotency token")
			}
			return b.builds[old.build], nil
		}
	}
	if b.ctx.Err() != nil {
		return nil, errors.New("start build: CodeBuild is closed")
	}
	r := b.newBuild(spec)
	b.builds[r.out.ID] = r
	b.order = append(b.order, r.out.ID)
	if in.IdempotencyToken != "" {
		b.tokens[in.IdempotencyToken] = token{r.out.ID, string(raw), time.Now()}
	}
	b.all.Go(func() { b.queue(r) })
	return r, nil
}

// queue waits for a free place, runs the build and tells of its end.
func (b *Builds) queue(r *build) {
	select {
	case b.slots <- struct{}{}:
		b.run(r)
		<-b.slots
	case <-r.ctx.Done():
		r.end(r.ended())
	}
	if b.options.OnEvent != nil && b.ctx.Err() == nil {
		b.options.OnEvent(b.ctx, event(r.snapshot()))
	}
}

func (b *Builds) project(ctx context.Context, name string) (types.Project, error) {
	if name == "" {
		return types.Project{}, invalid("projectName is missing")
	}
	out, err := b.projects.BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: []string{name}})
	if err != nil {
		return types.Project{}, fmt.Errorf("get project %s: %w", name, err)
	}
	if len(out.Projects) == 0 {
		return types.Project{}, notFound("Project cannot be found: " + name)
	}
	return out.Projects[0], nil
}

// find takes an id or an ARN.
func (b *Builds) find(id string) (*build, bool) {
	if _, after, ok := strings.Cut(id, ":build/"); ok {
		id = after
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.builds[id]
	return r, ok
}

// idsOf lists the ids of a project's builds, the oldest first.
func (b *Builds) idsOf(project string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.order), func(id string) bool {
		return b.builds[id].out.ProjectName != project
	})
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
