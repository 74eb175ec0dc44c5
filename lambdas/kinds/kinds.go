// Package kinds is what an environment is made of: the one ordered list of
// resource kinds. A kind is a folder here, a function of the same name, a line in
// this list and a branch of the state machine; tests name whichever is missing.
package kinds

import (
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/lambdas/kinds/queue"
	"previewenv/lambdas/kinds/route"
	"previewenv/lambdas/kinds/rule"
	"previewenv/lambdas/kinds/service"
	"previewenv/lambdas/kinds/targetgroup"
)

// Grant is one IAM statement of a function's role, with placeholders for what only
// an installation knows.
type Grant = kind.Grant

// Info is what the rest of the suite knows of a kind.
type Info = kind.Info

// All lists the kinds in the order of their removal.
var All = []kind.Info{
	route.Info(),
	rule.Info(),
	service.Info(),
	targetgroup.Info(),
	queue.Info(),
	frontend.Info(),
}

// Rank is the place of a kind in the order of removal: a lower one is gone before
// a higher one is touched.
func Rank(name string) int {
	for _, info := range All {
		if info.Name == name {
			return info.Rank
		}
	}
	return 0
}
