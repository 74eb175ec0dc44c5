package step

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// sweep is one run of the reaper.
type sweep struct {
	*Reap

	bounds kind.Bounds
	dry    bool
	found  []item                 // what AWS lists
	lives  map[string]record.Life // by label, of whatever lives or was found
	blind  map[string]bool        // labels whose rows could not be read
	idle   map[string]bool        // live environments that no execution works on
	items  []item                 // what is to be removed
	out    ReapOutput
}

// item is one resource on its way out.
type item struct {
	kind     *Swept
	resource kind.Resource
	identity string
	row      *record.Resource // of the ledger, if it has one
	why      string
	leak     bool
	failure  string // of the last try
	gone     bool
}

func (s *sweep) problem(ctx context.Context, what string, err error) {
	s.out.Problems = append(s.out.Problems, what+": "+err.Error())
	s.Log.WarnContext(ctx, "sweep could not look", "what", what, "error", err.Error())
}

// list asks the tag index and every kind for what is there.
func (s *sweep) list(ctx context.Context) {
	s.bounds.Tags = s.tagged(ctx)
	seen := map[string]bool{}
	for i := range s.Kinds {
		k := &s.Kinds[i]
		resources, err := k.List(ctx, s.bounds)
		if err != nil {
			s.problem(ctx, "list "+k.Name, err)
			continue
		}
		for _, r := range resources {
			s.add(ctx, k, r, seen)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(s.bounds.Tags)) {
		if !seen[arn] {
			s.adopt(ctx, arn, s.bounds.Tags[arn], seen)
		}
	}
}

func (s *sweep) add(ctx context.Context, k *Swept, r kind.Resource, seen map[string]bool) {
	identity, err := k.Identify(r)
	if err != nil {
		s.problem(ctx, "identify "+k.Name+" "+r.Name, err)
		return
	}
	seen[r.ID] = true
	if key := k.Name + " " + identity; !seen[key] {
		seen[key] = true
		s.found = append(s.found, item{kind: k, resource: r, identity: identity})
	}
}

// tagPage is the largest page of GetResources (botocore).
const tagPage = 100

// tagged are the tags of all that bears ours, by ARN; without the index it is what
// could be read.
func (s *sweep) tagged(ctx context.Context) map[string]map[string]string {
	tags := map[string]map[string]string{}
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(s.Tags, &resourcegroupstaggingapi.GetResourcesInput{
		TagFilters:       []types.TagFilter{{Key: aws.String("ManagedBy"), Values: []string{s.ManagedBy}}},
		ResourcesPerPage: aws.Int32(tagPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.problem(ctx, "list by tag", err)
			break
		}
		for _, mapping := range page.ResourceTagMappingList {
			tags[aws.ToString(mapping.ResourceARN)] = tagMap(mapping.Tags)
		}
	}
	return tags
}

// adopt takes what bears our tag and was not listed: it lies where the catalog of
// today does not point. What was deleted lingers in the index, so that a kind looks
// for itself.
func (s *sweep) adopt(ctx context.Context, arn string, tags map[string]string, seen map[string]bool) {
	for i := range s.Kinds {
		r, ok, err := s.Kinds[i].Adopt(ctx, arn, tags, s.bounds)
		if err != nil {
			s.problem(ctx, "look at "+arn, err)
			return
		}
		if ok {
			s.add(ctx, &s.Kinds[i], r, seen)
			return
		}
	}
}

func tagMap(tags []types.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

// read loads every environment that lives or that something was found of. One that
// cannot be read is left alone for now.
func (s *sweep) read(ctx context.Context) error {
	known, err := s.Records.Labels(ctx)
	if err != nil {
		return err
	}
	labels := map[string]bool{}
	for _, name := range known {
		labels[name] = true
	}
	for _, it := range s.found {
		if it.resource.Environment != "" {
			labels[it.resource.Environment] = true
		}
	}
	s.blind = map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		life, _, err := s.Records.Load(ctx, name)
		if err != nil {
			s.blind[name] = true
			s.problem(ctx, "read "+name, err)
			continue
		}
		s.lives[name] = life
		if life.Environment.State.Live() {
			s.out.Environments++
		}
	}
	return nil
}

// unite makes the list of what goes: the rows of environments that end, and what
// was found without any row.
func (s *sweep) unite(ctx context.Context) {
	held := map[string]bool{} // by kind and identity
	for _, name := range slices.Sorted(maps.Keys(s.lives)) {
		life := s.lives[name]
		reading := stillRead(life, s.Now())
		for i := range life.Resources {
			row := &life.Resources[i]
			k := s.kindOf(row.Kind)
			if row.State == record.Closed || k == nil {
				continue
			}
			r := resourceOf(s.ManagedBy, life.Environment, *row)
			identity, err := k.Identify(r)
			if err != nil {
				s.out.Problems = append(s.out.Problems, fmt.Sprintf("identify %s of %s: %v", row.Key(), name, err))
				continue
			}
			held[k.Name+" "+identity] = true
			if why := s.goes(life.Environment, *row, reading[row.Key()]); why != "" {
				s.items = append(s.items, item{kind: k, resource: r, identity: identity, row: row, why: why})
			}
		}
	}
	for _, it := range s.found {
		if held[it.kind.Name+" "+it.identity] || s.isBlind(it) || s.isPlanned(it) {
			continue
		}
		if s.isThere(ctx, it) && s.isOurs(ctx, it) {
			it.leak, it.why = true, s.path(it)
			s.items = append(s.items, it)
		}
	}
	slices.SortStableFunc(s.items, func(a, b item) int { return a.kind.Rank - b.kind.Rank })
}

// isThere confirms by a describe call: lists go on showing what was deleted.
func (s *sweep) isThere(ctx context.Context, it item) bool {
	present, err := it.kind.Verify(ctx, it.resource)
	if err != nil {
		s.problem(ctx, "look at "+it.kind.Name+" "+it.identity, err)
	}
	return present && err == nil
}

// isOurs asks the kind, which reads the tags anew: those of a list, and of the index,
// may be old. What is not ours is reported.
func (s *sweep) isOurs(ctx context.Context, it item) bool {
	err := it.kind.Owned(ctx, it.resource)
	switch {
	case err == nil:
		return true
	case fault.Is(err, statemachine.ErrForbidden):
		s.out.Foreign = append(s.out.Foreign, Reaped{Kind: it.kind.Name, Name: it.identity, Why: err.Error()})
	default:
		s.problem(ctx, "look whose "+it.kind.Name+" "+it.identity+" is", err)
	}
	return false
}

// isBlind tells that something may belong to an environment whose rows could not be
// read, or be any environment's while one of them could not.
func (s *sweep) isBlind(it item) bool {
	return s.blind[it.resource.Environment] || it.resource.Environment == "" && len(s.blind) > 0
}

// isPlanned tells that the rows of an environment are about to be written: what was
// found may be among them.
func (s *sweep) isPlanned(it item) bool {
	return s.lives[it.resource.Environment].Environment.State == record.Requested
}

func (s *sweep) kindOf(name string) *Swept {
	for i := range s.Kinds {
		if s.Kinds[i].Name == name {
			return &s.Kinds[i]
		}
	}
	return nil
}

// path says how a leak came to be, as far as the table tells.
func (s *sweep) path(it item) string {
	env := s.lives[it.resource.Environment].Environment
	switch {
	case env.Name == "":
		return "its environment has no record"
	case env.State == record.Gone || env.State == record.Failed:
		return fmt.Sprintf("its environment was closed as %s at %s", env.State, clock(time.Unix(env.ClosedAt, 0)))
	}
	return fmt.Sprintf("no row of the ledger of its environment, which is %s, has it", env.State)
}
