// Package catalog is the one file that a platform team writes: which services
// there are, what kind each is, how it is built and what it calls. It reads the
// file strictly, publishes it as one SSM parameter a service, and reads those
// back, so that an execution loads only what it selected. It knows nothing of
// environments.
package catalog

import (
	"strings"
	"time"
)

// Catalog is infra/catalog.yaml.
type Catalog struct {
	BaseDomain   string                `yaml:"baseDomain"`
	Label        string                `yaml:"label"` // template with {{pullRequest}} and {{repository}}
	Baseline     Baseline              `yaml:"baseline"`
	Lifetime     Lifetime              `yaml:"lifetime"`
	Limits       Limits                `yaml:"limits"`
	Reaper       Reaper                `yaml:"reaper"`
	Repositories map[string]Repository `yaml:"repositories"`
	Services     map[string]Service    `yaml:"services"`
	Queues       map[string]Queue      `yaml:"queues"`
	// Edge is how the distribution treats the backends; only the CDK app reads it.
	Edge Edge `yaml:"edge"`
	// Installation is what a deployment to AWS needs besides; only the CDK app reads it.
	Installation *Installation `yaml:"installation"`
}

// Edge is what may differ from one distribution to another.
type Edge struct {
	// ReadTimeout is how long a backend may be silent, before its answer and within
	// it; 0 is a minute.
	ReadTimeout Duration `yaml:"readTimeout"`
}

// Installation is what whoever deploys to AWS has to name: what cannot be read from
// the running baseline. Account and Region are those of the listener.
type Installation struct {
	// Prefix starts the name of everything that is made; at most 8 characters.
	Prefix string `yaml:"prefix"`
	// HostedZone is the Route 53 zone that holds the base domain.
	HostedZone HostedZone `yaml:"hostedZone"`
	// Certificate is the ARN of an ACM certificate in us-east-1 for *.<baseDomain>.
	Certificate string `yaml:"certificate"`
	// Connection is the ARN of the CodeConnections connection to GitHub, for main pipelines.
	Connection string `yaml:"connection"`
	// ExecutionRoles are the ARNs of the baseline's execution roles that previews start
	// with where their service names none of its own.
	ExecutionRoles []string `yaml:"executionRoles"`
	// AlarmTopic is the ARN of an SNS topic that alarms are sent to; empty is none.
	AlarmTopic string `yaml:"alarmTopic"`
}

// HostedZone is a Route 53 hosted zone.
type HostedZone struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
}

// Baseline is what every environment stands beside.
type Baseline struct {
	Host       string     `yaml:"host" json:"host"`
	Cluster    string     `yaml:"cluster" json:"cluster"`
	Listeners  []string   `yaml:"listeners" json:"listeners"`
	Priorities Priorities `yaml:"priorities" json:"priorities"`
}

// Priorities are the bands of listener-rule priorities, each first and last,
// within 1 to 50,000 (botocore, CreateRuleInput). Lower numbers are matched first.
type Priorities struct {
	Overrides [2]int `yaml:"overrides" json:"overrides"`
	Fallbacks [2]int `yaml:"fallbacks" json:"fallbacks"`
}

// Lifetime bounds how long an environment lives.
type Lifetime struct {
	Default Duration `yaml:"default" json:"default"`
	Max     Duration `yaml:"max" json:"max"`
	Warn    Duration `yaml:"warn" json:"warn"` // before the deadline; 0 is no warning
}

// Duration is written as Go writes it: 90s, 60m, 24h.
type Duration time.Duration

// Limits of the whole installation and of one owner; 0 is no limit.
type Limits struct {
	Environments int `yaml:"environments" json:"environments"`
	PerOwner     int `yaml:"perOwner" json:"perOwner"`
}

// Reaper bounds what the reaper does by itself.
type Reaper struct {
	// DryRun pauses it: each sweep only reports what it would do.
	DryRun bool `yaml:"dryRun" json:"dryRun,omitempty"`
	// MaxRemovals is how many resources that have no record one sweep removes; if there
	// are more, it removes none of them and says so. 0 is 20.
	MaxRemovals int `yaml:"maxRemovals" json:"maxRemovals,omitempty"`
}

// mostRemovals is more than one environment leaks, and less than a few live ones have.
const mostRemovals = 20

// Most is MaxRemovals, or its default.
func (r Reaper) Most() int {
	if r.MaxRemovals == 0 {
		return mostRemovals
	}
	return r.MaxRemovals
}

// Repository is where a service's code lives.
type Repository struct {
	GitHub string `yaml:"github" json:"github"` // owner/name
}

// Service is a backend, cloned from an ECS service, or a frontend; never both.
type Service struct {
	Repository string    `yaml:"repository" json:"repository"`
	ECSService string    `yaml:"ecsService" json:"ecsService,omitempty"`
	Frontend   *Frontend `yaml:"frontend" json:"frontend,omitempty"`
	Paths      []string  `yaml:"paths" json:"paths,omitempty"` // of a backend; at most 4: a rule has 5 values, the host is one
	Probe      *Probe    `yaml:"probe" json:"probe,omitempty"`
	Build      Build     `yaml:"build" json:"build"`
	// PreviewTaskRole is the ARN of the role that previews run with, behind the boundary;
	// a service whose baseline has a task role needs it.
	PreviewTaskRole string `yaml:"previewTaskRole" json:"previewTaskRole,omitempty"`
	// SharesBaselineTaskRole lets previews run with the baseline's own task role, named
	// above. It is outside of the boundary: what nobody has reviewed may then do all that
	// the baseline may, the suite's own resources included if the role reaches them.
	SharesBaselineTaskRole bool `yaml:"sharesBaselineTaskRole" json:"sharesBaselineTaskRole,omitempty"`
	// PreviewExecutionRole is the ARN of the role that starts previews; empty is the
	// baseline's, which installation.executionRoles lists then.
	PreviewExecutionRole string `yaml:"previewExecutionRole" json:"previewExecutionRole,omitempty"`
	// MainPipeline makes a pipeline from what is merged into Branch to the baseline.
	MainPipeline bool              `yaml:"mainPipeline" json:"mainPipeline,omitempty"`
	Branch       string            `yaml:"branch" json:"branch,omitempty"`     // empty is main
	Calls        map[string]string `yaml:"calls" json:"calls,omitempty"`       // variable → service
	Consumes     map[string]string `yaml:"consumes" json:"consumes,omitempty"` // variable → queue
}

// Probe is the request through the public URL by which a backend is seen, made
// without a login.
type Probe struct {
	Path     string `yaml:"path" json:"path,omitempty"`         // one of the service's; empty is the first of its paths
	Statuses []int  `yaml:"statuses" json:"statuses,omitempty"` // of a right answer; none is everything below 500
}

// ProbePath is the path by which a service is seen through the public URL: that of its
// probe, else the first of its paths without a wildcard, else the first up to its
// wildcard; "/" of a frontend.
func (s Service) ProbePath() string {
	if s.Frontend != nil {
		return "/"
	}
	if s.Probe != nil && s.Probe.Path != "" {
		return s.Probe.Path
	}
	for _, path := range s.Paths {
		if !strings.ContainsAny(path, "*?") {
			return path
		}
	}
	before, _, _ := strings.Cut(s.Paths[0], "*")
	return strings.ReplaceAll(before, "?", "x")
}

// Frontend is a build whose output is served from S3.
type Frontend struct {
	Output string `yaml:"output" json:"output"` // folder of the build's output, below the buildspec's folder
	// Routing is how a path that is no file is found: spa, static or html. Empty is spa.
	Routing string `yaml:"routing" json:"routing,omitempty"`
}

// Build is how a service is built.
type Build struct {
	Buildspec string   `yaml:"buildspec" json:"buildspec"`
	Timeout   Duration `yaml:"timeout" json:"timeout"` // 0 is 15 minutes
	// Architecture is arm64 or x86_64, that of what runs the result; empty is x86_64, as
	// in an ECS task definition that says nothing.
	Architecture string `yaml:"architecture" json:"architecture,omitempty"`
}

// Queue is cloned from a queue of the baseline.
type Queue struct {
	Clone string `yaml:"clone" json:"clone"` // its name
}

// Settings is the part of the catalog that every execution reads.
type Settings struct {
	BaseDomain   string                `json:"baseDomain"`
	Label        string                `json:"label"`
	Baseline     Baseline              `json:"baseline"`
	Lifetime     Lifetime              `json:"lifetime"`
	Limits       Limits                `json:"limits"`
	Reaper       Reaper                `json:"reaper"`
	Repositories map[string]Repository `json:"repositories"`
	Queues       map[string]Queue      `json:"queues"`
	// ExecutionRoles are those of the baseline that may start previews.
	ExecutionRoles []string `json:"executionRoles,omitempty"`
	// Services are all names, sorted, with what a validator needs of each.
	Services []Entry `json:"services"`
}

// Entry is a service as the index of the catalog has it.
type Entry struct {
	Name       string   `json:"name"`
	Frontend   bool     `json:"frontend,omitempty"`
	Repository string   `json:"repository"`
	Calls      []string `json:"calls,omitempty"`    // services that it calls, sorted
	Consumes   []string `json:"consumes,omitempty"` // queues that it consumes, sorted
}
