// Package kind says what a resource kind is: how it is named, ensured, verified
// and removed. It knows nothing of records, revisions or the state machine; the
// step that runs a kind does.
package kind

import (
	"context"
	"encoding/json"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// Kind makes, looks at and removes resources of one kind. Every method is
// idempotent, so that a retry, a redrive and a re-run converge.
type Kind interface {
	// Ensure makes the resource, or repairs it to its specification, and returns
	// the id that AWS knows it by (an ARN, a URL, a prefix). A resource that is as
	// wanted is left alone.
	Ensure(ctx context.Context, r Resource) (id string, err error)
	// Verify tells by a describe call whether anything of the resource is left.
	Verify(ctx context.Context, r Resource) (present bool, err error)
	// Remove takes away everything that Ensure made. What is not there is no error,
	// and r.ID may be empty: a function may have died before it could store it.
	Remove(ctx context.Context, r Resource) error
}

// Sweepable is a kind whose resources can be found without the ledger, and removed.
type Sweepable interface {
	Kind
	// List finds everything of the kind that bears the installation's name, host or
	// key, whoever made it and whatever became of its tags, every page of it. What it
	// returns has a Spec and an ID that Verify, Owned and Remove can work with, and
	// nothing that they do not need. Environment is the label, empty where neither name
	// nor tags tell it.
	List(ctx context.Context, b Bounds) ([]Resource, error)
	// Owned tells whether what the resource stands for is the environment's, by what
	// AWS says of it now: nil if it is, or if there is nothing, else a fault named
	// statemachine.ErrForbidden. Ensure and Remove ask the same before they change
	// anything.
	Owned(ctx context.Context, r Resource) error
	// Adopt makes the same of one ARN that bears our tags but was not listed: it lies
	// on a listener or in a cluster that the catalog has named before. ok is false for
	// what is not of this kind, is not there, or does not bear our name.
	Adopt(ctx context.Context, arn string, tags map[string]string, b Bounds) (r Resource, ok bool, err error)
	// Identify names the thing that a Spec stands for, the same for a row of the ledger
	// and for what List found.
	Identify(r Resource) (string, error)
}

// Bounds are where the resources of an installation lie, and what is known of them.
type Bounds struct {
	Cluster       string   // name or ARN
	Listeners     []string // ARNs
	Band          [2]int   // of listener-rule priorities for overrides
	Site          string   // bucket
	Distribution  string   // id
	KeyValueStore string   // ARN
	// Tags are those that the tag index has of resources that bear ours, by ARN. It may
	// lag; a kind that asks AWS for one resource's tags at a time looks here first.
	Tags map[string]map[string]string
}

// Resource is one row of the ledger as a kind sees it.
type Resource struct {
	Environment string            // the label
	Name        string            // of the ledger row
	Incarnation int               // lives of the label; part of names that AWS will not let us reuse at once
	Spec        json.RawMessage   // the kind's own Spec type
	ID          string            // what Ensure returned, if it got that far
	Tags        map[string]string // to be put on whatever is made
	// Needs holds the ids of the resources that this one stands on, by "kind/name".
	Needs map[string]string
}

// Info is what the rest of the suite knows of a kind.
type Info struct {
	Name string // its folder, and its function
	// Rank orders removals: a lower rank is gone before a higher one is touched.
	Rank   int
	Grants []Grant
	// Sweep is what Verify, Remove, List and Adopt need: the reaper's part. It makes
	// nothing.
	Sweep []Grant
	// Example is an example of its Spec, as JSON.
	Example []byte
}

// Grant is one IAM statement of a kind's role.
type Grant struct {
	// Deny makes it a statement that forbids, whatever else is granted.
	Deny      bool
	Actions   []string
	Resources []string // ARN patterns with ${Account}, ${Region}, ${Partition}, ${Prefix} and other catalog names
	// Conditions are by operator, then by key.
	Conditions map[string]map[string]string
	// Why says, for a wildcard resource or a call that is no API call, why it must be so.
	Why string
}

// Decode reads a Spec. A field that it does not know is left out: functions are
// deployed one by one, and the one that wrote the row may be newer, or have been rolled
// back since. A field of another type is a fault named statemachine.ErrInternal.
func Decode[S any](r Resource) (S, error) {
	var spec S
	if err := json.Unmarshal(r.Spec, &spec); err != nil {
		f := fault.New(statemachine.ErrInternal, "The specification of %s in %s cannot be read: %v.", r.Name, r.Environment, err).
			WithNext("Provision the environment again; if it comes back, tell the platform team.")
		f.Cause = err
		return spec, f
	}
	return spec, nil
}
