// Package layout states who may import whom, for a test to prove. The same rules
// stand in .golangci.yml, where an editor shows them on the line; here they are
// held to what go list says, with the imports of imports where that matters.
package layout

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const module = "previewenv"

// Package is what go list says of one package.
type Package struct {
	ImportPath string
	Standard   bool
	Imports    []string // what it imports itself
	Deps       []string // and what those import
}

// rule forbids some imports. It is asked about packages of this module only, by
// their path without the module.
type rule struct {
	says string
	deep bool // holds for the imports of imports too
	// broken tells whether from may not import to; own is false for to outside of
	// this module, whose path is then in full.
	broken func(from, to string, own bool) bool
}

var rules = []rule{
	{says: "statemachine imports the standard library only", broken: func(from, _ string, _ bool) bool {
		return from == "statemachine"
	}},
	{says: "a function imports boot, step, kinds and config", broken: func(from, to string, own bool) bool {
		return isFunction(from) && own && below(to, "lambdas") && !slices.ContainsFunc(
			[]string{"lambdas/internal/boot", "lambdas/internal/step", "lambdas/kinds", "lambdas/config"},
			func(room string) bool { return below(to, room) })
	}},
	{says: "nothing imports a function", broken: func(_, to string, own bool) bool {
		return own && isFunction(to)
	}},
	{says: "a kind imports no other kind, and nothing above it", broken: func(from, to string, own bool) bool {
		return strings.HasPrefix(from, "lambdas/kinds/") && own && !slices.Contains(
			[]string{"lambdas/internal/kind", "lambdas/internal/fault", "lambdas/internal/guard", "statemachine"}, to)
	}},
	{says: "kinds and step are imported from above only", broken: func(from, to string, own bool) bool {
		return own && (below(to, "lambdas/kinds") || below(to, "lambdas/internal/step")) &&
			below(from, "lambdas/internal") && !below(from, "lambdas/internal/step")
	}},
	{says: "catalog and config know nothing else of lambdas", broken: func(from, _ string, own bool) bool {
		return (from == "lambdas/catalog" || from == "lambdas/config") && own
	}},
	{says: "only functions import boot", broken: func(from, to string, own bool) bool {
		return own && to == "lambdas/internal/boot" && !isFunction(from)
	}},
	{says: "only test kits import the test kit", broken: func(from, to string, own bool) bool {
		return own && isTestKit(to) && !isTestKit(from)
	}},
	{says: "infra imports kinds, config, catalog and statemachine", broken: func(from, to string, own bool) bool {
		return below(from, "infra") && own && below(to, "lambdas/internal")
	}},
	{says: "infra/local reaches nothing of lambdas/internal", deep: true, broken: func(from, to string, own bool) bool {
		return below(from, "infra/local") && own && below(to, "lambdas/internal")
	}},
	{says: "the CDK and jsii are in infra only", deep: true, broken: func(from, to string, _ bool) bool {
		return (!below(from, "infra") || below(from, "infra/local")) && slices.ContainsFunc(
			[]string{"github.com/aws/aws-cdk-go", "github.com/aws/jsii-runtime-go", "github.com/aws/constructs-go", "github.com/cdklabs"},
			func(m string) bool { return below(to, m) })
	}},
	only("github.com/aws/aws-lambda-go/lambda", "lambdas/internal/boot"),
	only("github.com/slack-go/slack", "lambdas/internal/slack"),
	only("github.com/google/go-github/v88", "lambdas/internal/github"),
}

// keeper imports every module so that go.mod lists it while rooms are written.
const keeper = "infra/local/deps"

// only says that one room alone imports a package of somebody else.
func only(what, room string) rule {
	return rule{
		says: fmt.Sprintf("%s is imported by %s only", what, room),
		broken: func(from, to string, _ bool) bool {
			return below(to, what) && from != room && from != keeper
		},
	}
}

// Check returns each import that breaks a rule, as a sentence.
func Check(packages []Package) []string {
	standard := map[string]bool{"C": true, "unsafe": true}
	for _, p := range packages {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	var broken []string
	for _, p := range packages {
		if !below(p.ImportPath, module) {
			continue
		}
		for _, r := range rules {
			broken = append(broken, r.check(p, standard)...)
		}
	}
	return broken
}

func (r rule) check(p Package, standard map[string]bool) []string {
	imports := p.Imports
	if r.deep {
		imports = p.Deps
	}
	var broken []string
	for _, to := range imports {
		if standard[to] {
			continue
		}
		if r.broken(inner(p.ImportPath), inner(to), below(to, module)) {
			broken = append(broken, fmt.Sprintf("%s imports %s, but %s", inner(p.ImportPath), inner(to), r.says))
		}
	}
	return broken
}

// isFunction tells the folders of functions from the rooms beside them.
func isFunction(p string) bool {
	parent, name := path.Split(p)
	return parent == "lambdas/" && !slices.Contains([]string{"kinds", "config", "catalog", "doctor", "internal"}, name)
}

func isTestKit(p string) bool {
	return below(p, "lambdas/internal/awstest") || below(p, "lambdas/internal/kind/kindtest")
}

// below tells whether p is room, or lies in it.
func below(p, room string) bool {
	return p == room || strings.HasPrefix(p, room+"/")
}

func inner(importPath string) string {
	return strings.TrimPrefix(importPath, module+"/")
}
