// Package record keeps what is wanted and what is there: one row an environment,
// one a service, one a resource (the ledger), all in one partition of one
// DynamoDB table, and one row a build. Every change of an environment is a
// conditional write on what the writer read, so that of two writers one starts
// anew. It knows nothing of AWS resources, Slack or the state machine's states.
package record

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/request"
)

// State is the state of an environment that a person sees.
type State string

// The states. Gone and Failed are closed: no resource is left. LeftBehind is
// not: something is.
const (
	Requested    State = "Requested"
	Building     State = "Building"
	Provisioning State = "Provisioning"
	Ready        State = "Ready"
	Degraded     State = "Degraded" // the last good revision serves, not the one that was asked for
	Failed       State = "Failed"   // the first provision failed and was rolled back
	CleaningUp   State = "CleaningUp"
	Gone         State = "Gone"
	LeftBehind   State = "LeftBehind"
)

// Live tells whether an environment of this state may be held, extended, updated
// and removed.
func (s State) Live() bool {
	switch s {
	case Requested, Building, Provisioning, Ready, Degraded:
		return true
	}
	return false
}

// Environment is the record of one environment.
type Environment struct {
	Name    string `dynamodbav:"environment"`
	Item    string `dynamodbav:"item"`
	Version int    `dynamodbav:"version"` // of the row; every write adds one

	State       State          `dynamodbav:"state"`
	StateSince  int64          `dynamodbav:"stateSince,omitempty"` // Unix seconds
	Revision    int            `dynamodbav:"revision"`             // counts provisions and removals; never goes back
	Incarnation int            `dynamodbav:"incarnation"`          // counts lives of the label; never goes back
	Wanted      request.Wanted `dynamodbav:"wanted"`
	// Good is what was last seen to be ready; a failed update returns to it.
	Good      *request.Wanted `dynamodbav:"good,omitempty"`
	Reverting bool            `dynamodbav:"reverting,omitempty"`

	Owner   string `dynamodbav:"owner,omitempty"` // Slack user ID of who asked first
	Channel string `dynamodbav:"channel,omitempty"`
	URL     string `dynamodbav:"url"`
	// CostPerHour is the on-demand price of the environment's tasks, in US dollars.
	CostPerHour float64  `dynamodbav:"costPerHour,omitempty"`
	Notes       []string `dynamodbav:"notes,omitempty"` // what the plan has to say to the developer

	CreatedAt    time.Time `dynamodbav:"createdAt,unixtime"`
	AskedAt      time.Time `dynamodbav:"askedAt,unixtime"`      // when what is wanted was asked for
	ExpiresAt    time.Time `dynamodbav:"expiresAt,unixtime"`    // changed only by an extension
	MaxExpiresAt time.Time `dynamodbav:"maxExpiresAt,unixtime"` // no extension goes beyond it
	WarnedFor    int64     `dynamodbav:"warnedFor,omitempty"`   // the deadline for which a warning is due, in Unix seconds
	ClosedAt     int64     `dynamodbav:"closedAt,omitempty"`    // Unix seconds

	Execution string `dynamodbav:"execution,omitempty"` // ARN of the execution that has the environment
	TaskToken string `dynamodbav:"taskToken,omitempty"` // of its Hold

	Fault   *fault.Fault `dynamodbav:"fault,omitempty"`
	Reason  string       `dynamodbav:"reason,omitempty"` // why it is being removed
	Receipt *Receipt     `dynamodbav:"receipt,omitempty"`

	// Message is the status message: where it is and a digest of what it shows.
	Message Message `dynamodbav:"message,omitempty"`

	// Live and Commit are keys of the indexes "live" and "commit"; Commit is absent once
	// the environment is closed, and Live once its end was shown as well.
	Live   string `dynamodbav:"live,omitempty"`
	Commit string `dynamodbav:"commit,omitempty"`
	// TTL removes a closed record from the table after a month, in Unix seconds.
	TTL int64 `dynamodbav:"ttl,omitempty"`

	others others
}

// Message is where the status message of an environment stands.
type Message struct {
	Channel   string `dynamodbav:"channel,omitempty"`
	Timestamp string `dynamodbav:"ts,omitempty"`
	Digest    string `dynamodbav:"digest,omitempty"`
	// Warned is the deadline for which the owner was warned, in Unix seconds.
	Warned int64 `dynamodbav:"warned,omitempty"`
}

// Receipt is what a removal reports.
type Receipt struct {
	Removed []string `dynamodbav:"removed"`        // "kind name", each seen to be gone
	Left    []string `dynamodbav:"left,omitempty"` // "kind name: why"
}

// Service is the row of one override: written by its own branch of the execution
// alone, so that branches side by side never wait for each other.
type Service struct {
	Environment string       `dynamodbav:"environment"`
	Item        string       `dynamodbav:"item"`
	Name        string       `dynamodbav:"name"`
	Revision    int          `dynamodbav:"revision"`
	Commit      string       `dynamodbav:"sha"` // not "commit", which is a key of an index
	State       ServiceState `dynamodbav:"state"`
	Detail      string       `dynamodbav:"detail,omitempty"` // what it waits for
	Log         string       `dynamodbav:"log,omitempty"`    // link
	Fault       *fault.Fault `dynamodbav:"fault,omitempty"`
	TTL         int64        `dynamodbav:"ttl,omitempty"`
}

// ServiceState is the state of one override that a person sees.
type ServiceState string

// The states of an override.
const (
	ServiceQueued    ServiceState = "queued"
	ServiceBuilding  ServiceState = "building"
	ServiceBuilt     ServiceState = "built"
	ServiceDeploying ServiceState = "deploying"
	ServiceReady     ServiceState = "ready"
	ServiceFailed    ServiceState = "failed"
)

// Resource is one row of the ledger.
type Resource struct {
	Environment string        `dynamodbav:"environment"`
	Item        string        `dynamodbav:"item"`
	Kind        string        `dynamodbav:"kind"`
	Name        string        `dynamodbav:"name"`
	Service     string        `dynamodbav:"service,omitempty"` // the override that it belongs to
	Revision    int           `dynamodbav:"revision"`          // the last that wants it
	Incarnation int           `dynamodbav:"incarnation"`
	Rank        int           `dynamodbav:"rank"` // a lower one is removed first
	Spec        string        `dynamodbav:"spec"`
	Needs       []string      `dynamodbav:"needs,omitempty"` // "kind/name" of what it stands on
	ID          string        `dynamodbav:"id,omitempty"`
	State       ResourceState `dynamodbav:"state"`
	// PresentAt is when this revision was last ensured; RemovingSince when its
	// removal was first tried. Unix seconds.
	PresentAt     int64  `dynamodbav:"presentAt,omitempty"`
	RemovingSince int64  `dynamodbav:"removingSince,omitempty"`
	Tries         int    `dynamodbav:"tries,omitempty"`  // of the removal
	Why           string `dynamodbav:"why,omitempty"`    // the last removal failed
	LeftAt        int    `dynamodbav:"leftAt,omitempty"` // revision of the removal that gave it up
	TTL           int64  `dynamodbav:"ttl,omitempty"`

	others others
}

// Key names a resource among the needs of another.
func (r Resource) Key() string { return r.Kind + "/" + r.Name }

// ResourceState is where a row of the ledger stands.
type ResourceState string

// The states of a ledger row. Planned comes before the first AWS call, gone
// after a describe call said so; left is given up until the next sweep.
const (
	Planned  ResourceState = "planned"
	Present  ResourceState = "present"
	Removing ResourceState = "removing"
	Left     ResourceState = "left"
	Closed   ResourceState = "gone"
)

// Item names (sort keys) of the table.
const (
	environmentItem = "ENVIRONMENT"
	servicePrefix   = "SERVICE#"
	resourcePrefix  = "RESOURCE#"
)

// kept is how long a closed record and its rows can still be read.
const kept = 30 * 24 * time.Hour

// table is the subset of DynamoDB that the store calls.
type table interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Store reads and writes the table.
type Store struct {
	Client table
	Table  string
	Now    func() time.Time
}

// New is a store on a table, by the machine's clock.
func New(client table, name string) *Store {
	return &Store{Client: client, Table: name, Now: time.Now}
}
