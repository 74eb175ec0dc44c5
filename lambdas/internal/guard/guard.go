// Package guard is law 9: the one predicate over every name, host, path and
// priority that the suite is about to give to AWS. It is asked before the call;
// IAM says the same as far as IAM can.
package guard

import (
	"regexp"
	"strings"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

// label is one DNS label, lower case (RFC 1123): letters, digits and inner hyphens.
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Guard knows what belongs to the environments of one installation.
type Guard struct {
	Prefix     string // of every resource name
	BaseDomain string // below which every host lies
}

// Label refuses whatever is not one DNS label of lower-case letters, digits and
// inner hyphens, at most 63 characters.
func (g Guard) Label(name string) error {
	if !label.MatchString(name) {
		return forbid("%q is no environment: one DNS label of lower-case letters, digits and hyphens is", name)
	}
	return nil
}

// Name refuses a resource name that does not bear the installation's prefix.
func (g Guard) Name(name string) error {
	if g.Prefix == "" || !strings.HasPrefix(name, g.Prefix+"-") {
		return forbid("the name %q does not start with %q", name, g.Prefix+"-")
	}
	return nil
}

// Host refuses a host that is not exactly <environment>.<base domain>.
func (g Guard) Host(host, environment string) error {
	if g.BaseDomain == "" || g.Label(environment) != nil || host != environment+"."+g.BaseDomain {
		return forbid("the host %q is not that of environment %q below %q", host, environment, g.BaseDomain)
	}
	return nil
}

// Path refuses a pattern that would take every path of a host.
func (g Guard) Path(pattern string) error {
	if !strings.HasPrefix(pattern, "/") || strings.Trim(pattern, "/*?") == "" {
		return forbid("the path %q does not start with a name of its own", pattern)
	}
	return nil
}

// Priority refuses a number outside the band that is reserved for overrides.
func (g Guard) Priority(priority int, band [2]int) error {
	if band[0] < 1 || band[1] > 50000 || priority < band[0] || priority > band[1] {
		return forbid("the priority %d is outside the band %d to %d", priority, band[0], band[1])
	}
	return nil
}

// Owns refuses what does not bear the tags of the installation and of the
// environment: a name is no right, and others may use one that begins as ours do. The
// tags have to be those that AWS has at this moment. what names the thing.
func (g Guard) Owns(what string, tags map[string]string, environment string) error {
	if g.Prefix != "" && tags[kind.TagManagedBy] == g.Prefix && g.Label(environment) == nil && tags[kind.TagEnvironment] == environment {
		return nil
	}
	return fault.New(statemachine.ErrForbidden, "The %s is not ours: its tags say %s=%q and %s=%q.", what,
		kind.TagManagedBy, tags[kind.TagManagedBy], kind.TagEnvironment, tags[kind.TagEnvironment]).
		WithNext("Nothing was changed. If it is a leftover of an environment, delete it by hand or give it back %s=%s and %s=<label>; if it is somebody else's, it may stay.",
			kind.TagManagedBy, g.Prefix, kind.TagEnvironment)
}

// commit is the name of a build below a label: the commit that it was made of.
var commit = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// ObjectPrefix refuses an S3 prefix that is not a build of the environment:
// <label>/<commit>/.
func (g Guard) ObjectPrefix(prefix, environment string) error {
	rest, ok := strings.CutPrefix(prefix, environment+"/")
	build, slash := strings.CutSuffix(rest, "/")
	if g.Label(environment) != nil || !ok || !slash || !commit.MatchString(build) {
		return forbid("the prefix %q is not that of a build of environment %q", prefix, environment)
	}
	if environment == "default" {
		return forbid("%q is the prefix of the baseline's frontend", prefix)
	}
	return nil
}

func forbid(format string, args ...any) error {
	return fault.New(statemachine.ErrForbidden, format, args...).
		WithNext("Nothing was changed. This is a defect or a wrong catalog; tell the platform team.")
}
