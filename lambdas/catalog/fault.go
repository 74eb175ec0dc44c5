package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with the file, and where.
type Fault struct {
	Line int
	What string
}

// Faults are all things that are wrong with one file, in the order of its lines.
type Faults []Fault

// Error is one fault a line, in the form that an editor can follow:
// catalog.yaml:12: services.web: build.buildspec is missing.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fmt.Sprintf("catalog.yaml:%d: %s", fault.Line, fault.What)
	}
	return strings.Join(lines, "\n")
}

// err is nil when there is none; sorted by line otherwise.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
	})
	return f
}
