// Package statemachine is the contract between the state machine, the functions
// that are its Task states, and whatever deploys them. It holds the definition
// itself, the types that travel through it and the names of its errors. It
// imports only the standard library, so that both the functions and the CDK app
// may import it, and it knows nothing of AWS clients, tables or Slack.
package statemachine

import "encoding/json"

// Request is the input of an execution, and the published payload: the first
// four fields are all that a person in the console needs. The rest is filled in
// by the door, or left out.
type Request struct {
	// CommitID is a full or abbreviated (7 or more digits) commit SHA.
	CommitID            string   `json:"commitId,omitempty"`
	ServicesToProvision []string `json:"servicesToProvision,omitempty"`
	ProvisionQueues     bool     `json:"provisionQueues,omitempty"`
	// EnvironmentVariablesOverrides is a flat map of variables (for every selected
	// backend) or a map of maps (by service); at most 4 KB.
	EnvironmentVariablesOverrides json.RawMessage `json:"environmentVariablesOverrides,omitempty"`
	// Environment is the label. Without it the label comes from PullRequest, then
	// from the pull request that has the commit, then from the commit.
	Environment string `json:"environment,omitempty"`
	PullRequest int    `json:"pullRequest,omitempty"`
	// TTLMinutes is the lifetime from the first provision on; 0 is the catalog's default.
	TTLMinutes  int    `json:"ttlMinutes,omitempty"`
	RequestedBy string `json:"requestedBy,omitempty"` // Slack user ID
	Channel     string `json:"channel,omitempty"`     // Slack channel ID
	// Action is "cleanup" to remove Environment; empty or "provision" to provision.
	Action string `json:"action,omitempty"`
	// Revision is set by the door, which claims it before it starts the execution.
	// An execution without one claims its own.
	Revision int `json:"revision,omitempty"`
}

// Actions of a Request.
const (
	ActionProvision = "provision"
	ActionCleanUp   = "cleanup"
)

// PlanOp is what the plan function is asked to do.
type PlanOp string

// The operations of the plan function.
const (
	PlanExtract PlanOp = "extract"
	PlanRecover PlanOp = "recover"
)

// ExtractInput is the input of ExtractConfigurations.
type ExtractInput struct {
	Op PlanOp `json:"op"`
	// Request is the input of the execution as it came, so that what is no Request is
	// told from one in the words of whoever wrote it.
	Request   json.RawMessage `json:"request"`
	Execution string          `json:"execution"` // execution ARN
}

// Plan is the output of ExtractConfigurations: keys only. The specifications
// stay in the ledger, so that the payload is small whatever a task definition
// holds (256 KiB a state: docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
type Plan struct {
	Environment string `json:"environment"`
	Revision    int    `json:"revision"`
	Items       []Item `json:"items"`
}

// ItemType tells which branch of Provision an Item takes.
type ItemType string

// The branches of Provision.
const (
	Backend  ItemType = "backend"
	Frontend ItemType = "frontend"
	Queue    ItemType = "queue"
)

// Item is one override or queue of a plan.
type Item struct {
	Environment string   `json:"environment"`
	Revision    int      `json:"revision"`
	Type        ItemType `json:"type"`
	Service     string   `json:"service"` // empty for a queue
	Name        string   `json:"name"`    // name of the ledger rows of this item
}

// BuildInput is the input of BuildBackend and BuildFrontend.
type BuildInput struct {
	Environment string `json:"environment"`
	Revision    int    `json:"revision"`
	Service     string `json:"service"`
	TaskToken   string `json:"taskToken"`
}

// Op is what a resource function is asked to do.
type Op string

// The operations of the resource functions.
const (
	OpEnsure Op = "ensure" // make or repair
	OpAwait  Op = "await"  // fail with a NotYet error until the resource serves
	OpOpen   Op = "open"   // route only: the host answers with the starting page
	OpTune   Op = "tune"   // what may wait until the environment is ready
	OpRemove Op = "remove" // remove, then look whether it is gone
)

// ResourceInput is the input of every resource function.
type ResourceInput struct {
	Op          Op     `json:"op"`
	Environment string `json:"environment"`
	Revision    int    `json:"revision"`
	Name        string `json:"name"` // of the ledger row; the kind is the function's own
}

// ResourceOutput is the output of every resource function.
type ResourceOutput struct {
	// Gone is true when a removal was seen to be complete by a describe call.
	Gone bool `json:"gone"`
}

// HoldOp is what the hold function is asked to do.
type HoldOp string

// The operations of the hold function.
const (
	HoldClaimExpiry  HoldOp = "claimExpiry"  // past the deadline? claim the removal
	HoldStoreToken   HoldOp = "storeToken"   // the execution waits; whoever ends the wait needs its token
	HoldClaimRemoval HoldOp = "claimRemoval" // an execution that was started to remove
)

// HoldInput is the input of ClaimExpiry, Hold and ClaimRemoval.
type HoldInput struct {
	Op          HoldOp          `json:"op"`
	Request     json.RawMessage `json:"request,omitempty"` // the input of the execution, with HoldClaimRemoval
	Environment string          `json:"environment"`
	Revision    int             `json:"revision,omitempty"`
	Execution   string          `json:"execution"`
	TaskToken   string          `json:"taskToken,omitempty"`
}

// Decision is the way that an execution takes from here.
type Decision string

// The decisions.
const (
	DecideHold       Decision = "hold"
	DecideCleanUp    Decision = "cleanup"
	DecideSuperseded Decision = "superseded"
	DecideRevert     Decision = "revert"
)

// HoldOutput is the output of the hold function, and of the task token of Hold.
type HoldOutput struct {
	Environment string   `json:"environment"`
	Revision    int      `json:"revision"`
	Decision    Decision `json:"decision"`
	// Seconds until the hold has to look again, at least 1 with DecideHold.
	Seconds int `json:"seconds"`
}

// TaskError is what a Catch puts beside the input.
type TaskError struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// RecoverInput is the input of Recover.
type RecoverInput struct {
	Op          PlanOp    `json:"op"`
	Environment string    `json:"environment"`
	Revision    int       `json:"revision"`
	Execution   string    `json:"execution"`
	Error       TaskError `json:"error"`
}

// RecoverOutput is the output of Recover: revert (with the items of the last
// good request, under a revision of its own), hold (going back failed as well),
// clean up (nothing was ever good), or superseded.
type RecoverOutput struct {
	Environment string   `json:"environment"`
	Revision    int      `json:"revision"`
	Decision    Decision `json:"decision"`
	Items       []Item   `json:"items"`
}

// Scope tells what a removal takes.
type Scope string

// The scopes of a removal.
const (
	ScopeStale Scope = "stale" // what the current revision no longer wants
	ScopeAll   Scope = "all"   // the environment
)

// CleanUpInput is the input of CleanUp.
type CleanUpInput struct {
	Environment string `json:"environment"`
	Revision    int    `json:"revision"`
	Scope       Scope  `json:"scope"`
}

// Outcome is how a removal stands.
type Outcome string

// The outcomes of a removal. More is the only one that is not an end.
const (
	More       Outcome = "More"
	Pruned     Outcome = "Pruned"
	Gone       Outcome = "Gone"
	RolledBack Outcome = "RolledBack"
	LeftBehind Outcome = "LeftBehind"
	Superseded Outcome = "Superseded"
)

// CleanUpOutput is the output of CleanUp: the next batch, or the end.
type CleanUpOutput struct {
	Environment string    `json:"environment"`
	Revision    int       `json:"revision"`
	Scope       Scope     `json:"scope"`
	Outcome     Outcome   `json:"outcome"`
	WaitSeconds int       `json:"waitSeconds"` // before the batch, when the last one was not finished
	Batch       []Removal `json:"batch"`
	// Report says in words how it ended: the receipt, the reason of a roll-back, or
	// what is left behind.
	Report string `json:"report"`
}

// Removal is one resource of a batch.
type Removal struct {
	Environment string `json:"environment"`
	Revision    int    `json:"revision"`
	Kind        string `json:"kind"`
	Name        string `json:"name"`
}
