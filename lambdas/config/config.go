// Package config has one struct a function: what whoever deploys it fills in, and
// it loads. All that is missing is reported at once.
package config

import (
	"fmt"
	"time"

	"github.com/caarlos0/env/v11"
)

// Records is what every function that touches the record and ledger needs.
type Records struct {
	Table string `env:"TABLE,required,notEmpty"`
}

// Names are the bounds within which an installation may name things.
type Names struct {
	// Prefix starts the name of every AWS resource that the suite makes for an
	// environment; at most 8 characters, so that a target group's 32 suffice.
	Prefix string `env:"PREFIX,required,notEmpty"`
	// Catalog is the path in SSM below which the catalog is published.
	Catalog string `env:"CATALOG,required,notEmpty"`
	// PreviewURL is the URL of an environment, with {label} in it.
	PreviewURL string `env:"PREVIEW_URL,required,notEmpty"`
}

// GitHub is where commits are looked up.
type GitHub struct {
	API   string `env:"GITHUB_API" envDefault:"https://api.github.com/"`
	Token string `env:"GITHUB_TOKEN_SECRET"` // Secrets Manager id; empty for public repositories
}

// Slack is how messages are sent.
type Slack struct {
	API   string `env:"SLACK_API" envDefault:"https://slack.com/api/"`
	Token string `env:"SLACK_TOKEN_SECRET,required,notEmpty"` // Secrets Manager id
}

// Door is the configuration of the slack function.
type Door struct {
	Records
	Names
	GitHub
	Slack
	SigningSecret string `env:"SLACK_SIGNING_SECRET,required,notEmpty"` // Secrets Manager id
	StateMachine  string `env:"STATE_MACHINE,required,notEmpty"`        // ARN
}

// Plan is the configuration of the plan function.
type Plan struct {
	Records
	Names
	GitHub
	Registry      string `env:"REGISTRY,required,notEmpty"`        // of the ECR repositories for previews: host/prefix
	Artifacts     string `env:"ARTIFACTS,required,notEmpty"`       // bucket of frontend builds
	Site          string `env:"SITE,required,notEmpty"`            // bucket behind the edge
	Distribution  string `env:"DISTRIBUTION,required,notEmpty"`    // CloudFront id
	KeyValueStore string `env:"KEY_VALUE_STORE,required,notEmpty"` // ARN
}

// Build is the configuration of the build function.
type Build struct {
	Records
	Names
	GitHub
	Registry  string `env:"REGISTRY,required,notEmpty"`
	Artifacts string `env:"ARTIFACTS,required,notEmpty"`
	Sources   string `env:"SOURCES,required,notEmpty"` // bucket of what builds read, with versions
}

// Resource is the configuration of every function that is a resource kind.
type Resource struct {
	Records
	Names
}

// Hold is the configuration of the hold function.
type Hold struct {
	Records
	Names
}

// CleanUp is the configuration of the cleanup function.
type CleanUp struct {
	Records
}

// Reap is the configuration of the reap function.
type Reap struct {
	Records
	Names
	StateMachine  string `env:"STATE_MACHINE,required,notEmpty"` // ARN
	Site          string `env:"SITE,required,notEmpty"`
	Distribution  string `env:"DISTRIBUTION,required,notEmpty"`
	KeyValueStore string `env:"KEY_VALUE_STORE,required,notEmpty"`
	// Grace is how long an execution may be late before the reaper takes over from it.
	Grace time.Duration `env:"REAP_GRACE" envDefault:"2m"`
}

// Notify is the configuration of the notify function.
type Notify struct {
	Records
	Names
	Slack
	// Console is the URL of an execution in the Step Functions console, with {execution} in it.
	Console string `env:"CONSOLE_URL"`
}

// Load reads C from the environment and reports all that is missing at once.
func Load[C any]() (C, error) {
	c, err := env.ParseAs[C]()
	if err != nil {
		return c, fmt.Errorf("load configuration: %w", err)
	}
	return c, nil
}
