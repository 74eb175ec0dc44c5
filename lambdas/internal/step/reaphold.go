package step

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hold keeps back what has no record, if it is more than one sweep may remove by
// itself: a table that was replaced, or restored from a backup, makes all that lives
// look like leaks. An environment of which the table knows nothing is a rare thing, so
// that two at once are enough. confirmed is what a person has allowed for this sweep.
func (s *sweep) hold(ctx context.Context, confirmed, most int) {
	unknown := map[string]bool{}
	orphans := 0
	for _, it := range s.items {
		if s.lives[it.resource.Environment].Environment.Name == "" {
			unknown[it.resource.Environment] = true
		}
		if s.isOrphan(it) {
			orphans++
		}
	}
	if confirmed > 0 {
		most = confirmed
	}
	if orphans <= most && (len(unknown) < 2 || confirmed > 0) {
		return
	}
	s.items = slices.DeleteFunc(s.items, func(it item) bool {
		if !s.isOrphan(it) {
			return false
		}
		s.out.Held = append(s.out.Held, Reaped{Environment: it.resource.Environment, Kind: it.kind.Name, Name: it.identity, Why: it.why})
		return true
	})
	of := ""
	if len(unknown) > 0 {
		of = fmt.Sprintf(", among them all of %s, of which the table knows nothing", strings.Join(slices.Sorted(maps.Keys(unknown)), ", "))
	}
	s.problem(ctx, fmt.Sprintf("remove %s without a record", count(orphans, "resource")), errors.New(
		"that is more than a sweep removes unasked ("+fmt.Sprint(most)+" resources, or those of one unknown environment)"+of+
			". Nothing of it was removed. If the table was replaced or restored, put the right one back. If nobody needs them, "+
			fmt.Sprintf(`invoke the function reap once with {"maxRemovals": %d}`, orphans)))
}

// isOrphan tells that no record wants something removed: it was found without a row,
// or its rows without their record.
func (s *sweep) isOrphan(it item) bool {
	return it.leak || s.lives[it.resource.Environment].Environment.Name == ""
}
