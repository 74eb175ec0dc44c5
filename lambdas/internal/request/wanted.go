// Package request turns what a person, a pull request or the console asks for
// into what an environment is to be, or into everything that is wrong with it at
// once, each fault with the field that it is about. It is pure but for the
// look-ups that it is given; it knows nothing of records and AWS.
package request

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"previewenv/statemachine"
)

// Wanted is a request that was found to be sound.
type Wanted struct {
	Label       string        `json:"label" dynamodbav:"label"`
	PullRequest int           `json:"pullRequest,omitempty" dynamodbav:"pullRequest,omitempty"` // 0 when the commit is in none
	Repository  string        `json:"repository" dynamodbav:"repository"`                       // owner/name
	Commit      string        `json:"commit" dynamodbav:"commit"`                               // full SHA
	Services    []string      `json:"services" dynamodbav:"services"`                           // sorted
	Queues      bool          `json:"queues,omitempty" dynamodbav:"queues,omitempty"`
	Overrides   Overrides     `json:"overrides,omitempty" dynamodbav:"overrides,omitempty"`
	Lifetime    time.Duration `json:"lifetime" dynamodbav:"lifetime"` // nanoseconds
}

// Overrides are the variables that a service gets besides its own, by service,
// then by name.
type Overrides map[string]map[string]Value

// Value is the text of a variable or the name of the secret that holds it; never both.
type Value struct {
	Text   string `json:"text,omitempty" dynamodbav:"text,omitempty"`
	Secret string `json:"secret,omitempty" dynamodbav:"secret,omitempty"` // ARN or name
}

// Digest is equal for two requests that want the same thing built and run, however
// they are called, whoever asks, and however long it is to live.
func (w Wanted) Digest() string {
	if len(w.Overrides) == 0 {
		w.Overrides = nil
	}
	// Maps are written in the order of their keys, so the text is stable. Text and
	// booleans cannot fail to be written.
	text, _ := json.Marshal(struct {
		Repository, Commit string
		Services           []string
		Queues             bool
		Overrides          Overrides
	}{w.Repository, w.Commit, w.Services, w.Queues, w.Overrides})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Of is the request for what was wanted before: validated again, it wants the same.
func Of(w Wanted) (statemachine.Request, error) {
	services := map[string]map[string]any{}
	for service, variables := range w.Overrides {
		services[service] = map[string]any{}
		for name, value := range variables {
			services[service][name] = value.Text
			if value.Secret != "" {
				services[service][name] = map[string]string{secretKey: value.Secret}
			}
		}
	}
	overrides, err := json.Marshal(services)
	return statemachine.Request{
		CommitID: w.Commit, ServicesToProvision: w.Services, ProvisionQueues: w.Queues,
		EnvironmentVariablesOverrides: overrides, Environment: w.Label, PullRequest: w.PullRequest,
		TTLMinutes: int(w.Lifetime / time.Minute),
	}, err
}
