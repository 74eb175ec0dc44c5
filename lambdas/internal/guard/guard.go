// Package guard is law 9: the one predicate over every name, host, path and
// priority that the suite is about to give to AWS. It is asked before the call;
// IAM says the same as far as IAM can.
package guard

import (
	"regexp"
	"strings"

	"previewenv/lambdas/internal/fault"
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

// ObjectPrefix refuses an S3 prefix that is not below the environment's own.
func (g Guard) ObjectPrefix(prefix, environment string) error {
	rest, ok := strings.CutPrefix(prefix, environment+"/")
	if g.Label(environment) != nil || !ok || strings.Trim(rest, "/") == "" || !strings.HasSuffix(rest, "/") ||
		strings.Contains(prefix, "..") {
		return forbid("the prefix %q is not below that of environment %q", prefix, environment)
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
