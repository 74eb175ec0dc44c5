package catalog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// LongestLabel is how many characters a label may have. DNS allows 63; the rest is
// left to the names that are made from it.
const LongestLabel = 40

// The placeholders of the label template.
const (
	placeholderPullRequest = "{{pullRequest}}"
	placeholderRepository  = "{{repository}}"
)

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// ValidLabel tells whether an environment may be called so: one DNS label of
// lower-case letters, digits and single inner hyphens, at most LongestLabel characters.
// Two hyphens in a row are how DNS writes other alphabets (xn--…), and AWS's console
// refuses them in the name of a target group.
func ValidLabel(s string) bool {
	return len(s) <= LongestLabel && label.MatchString(s) && !strings.Contains(s, twoHyphens)
}

const twoHyphens = "--"

// RenderLabel is the label of a pull request; repository is its key in the catalog.
func (s *Settings) RenderLabel(pullRequest int, repository string) string {
	return renderLabel(s.Label, pullRequest, repository)
}

func renderLabel(template string, pullRequest int, repository string) string {
	return strings.NewReplacer(
		placeholderPullRequest, strconv.Itoa(pullRequest),
		placeholderRepository, repository,
	).Replace(template)
}

// Reserved are the labels that no environment may have, sorted: the frontend's
// default prefix, two that people expect to be something else, and that of the
// baseline's own host when it lies directly below the base domain.
func (s *Settings) Reserved() []string {
	reserved := []string{"api", "default", "www"}
	if first, ok := strings.CutSuffix(s.Baseline.Host, "."+s.BaseDomain); ok && !strings.Contains(first, ".") {
		reserved = append(reserved, first)
	}
	slices.Sort(reserved)
	return slices.Compact(reserved)
}
