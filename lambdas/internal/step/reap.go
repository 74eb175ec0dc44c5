package step

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
)

// Reap removes what belongs to no live environment, whatever the executions did. It
// finds by the record, by tag and by a listing of every kind, and shares with the
// state machine nothing but the kinds and the table.
//
// It needs no grace for what it finds: everything is listed before the table is
// read, and a row stands in the table before its resource is made, so that
// what was listed and has no row belongs to no environment. That it is ours to remove
// is another question, which the kind answers by what AWS says of it: a name that
// begins as ours do is reported, and stays.
type Reap struct {
	Settings  func(context.Context) (*catalog.Settings, error)
	Records   *record.Store
	Kinds     []Swept
	Tags      tagAPI
	SFN       runner
	ManagedBy string // value of that tag: the installation's prefix
	// Machine is the ARN of the state machine.
	Machine string
	// Bounds are where resources lie, but for what the catalog says.
	Bounds kind.Bounds
	// Grace is how long an execution that still runs may be late.
	Grace time.Duration
	// Patience is how long the resources of one rank get to be gone, with Pause between
	// two looks; what is there after it is left for the next sweep.
	Patience, Pause time.Duration
	Now             func() time.Time
	Log             *slog.Logger
}

// Swept is a kind as the reaper has it.
type Swept struct {
	kind.Info
	kind.Sweepable
}

type tagAPI interface {
	GetResources(context.Context, *resourcegroupstaggingapi.GetResourcesInput, ...func(*resourcegroupstaggingapi.Options)) (*resourcegroupstaggingapi.GetResourcesOutput, error)
}

type runner interface {
	starter
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// ReapInput is the input of a sweep; the schedule sends {}.
type ReapInput struct {
	DryRun bool `json:"dryRun"` // only report
	// MaxRemovals lets this one sweep remove so many resources that have no record: a
	// person has looked at them. 0 is what the catalog says.
	MaxRemovals int `json:"maxRemovals"`
}

// ReapOutput is what a sweep reports. Under a dry run it is what a sweep would do.
type ReapOutput struct {
	DryRun bool `json:"dryRun"`
	// Environments is how many live.
	Environments int `json:"environments"`
	// Ended are the environments that were taken over from their executions, and Leaks
	// the resources that had no environment; both should be empty.
	Ended []Reaped `json:"ended"`
	Leaks []Reaped `json:"leaks"`
	// Removed were seen to be gone by a describe call; Left are still there.
	Removed []Reaped `json:"removed"`
	Left    []Reaped `json:"left"`
	// Foreign bear our name without being ours: nobody but a person removes them.
	Foreign []Reaped `json:"foreign"`
	// Held would be removed, were they not more than a sweep removes unasked.
	Held []Reaped `json:"held"`
	// Problems are what could not be looked at: what depends on it was left alone.
	Problems []string `json:"problems"`
}

// Reaped is one line of a report. Kind and Name are empty for a whole environment.
type Reaped struct {
	Environment string `json:"environment,omitempty"`
	Kind        string `json:"kind,omitempty"`
	Name        string `json:"name,omitempty"`
	Why         string `json:"why"`
}

// Run sweeps once. Each item stands alone, so that one that fails stops nothing; an
// error means that nothing could be looked at. A sweep may be cut off at any point,
// and the next one goes on.
func (r *Reap) Run(ctx context.Context, in ReapInput) (ReapOutput, error) {
	settings, err := r.Settings(ctx)
	if err != nil {
		return ReapOutput{}, err
	}
	s := &sweep{Reap: r, bounds: r.Bounds, dry: settings.Reaper.DryRun || in.DryRun, lives: map[string]record.Life{}}
	s.out = ReapOutput{
		DryRun: s.dry, Ended: []Reaped{}, Leaks: []Reaped{}, Removed: []Reaped{}, Left: []Reaped{},
		Foreign: []Reaped{}, Held: []Reaped{}, Problems: []string{},
	}
	s.bounds.Cluster, s.bounds.Listeners = settings.Baseline.Cluster, settings.Baseline.Listeners
	s.bounds.Band = settings.Baseline.Priorities.Overrides
	s.list(ctx)
	if err := s.read(ctx); err != nil {
		return s.out, err
	}
	s.judge(ctx)
	s.unite(ctx)
	s.hold(ctx, in.MaxRemovals, settings.Reaper.Most())
	s.remove(ctx)
	s.close(ctx)
	s.showAgain(ctx)
	s.report(ctx)
	return s.out, nil
}
