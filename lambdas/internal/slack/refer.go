package slack

import (
	"regexp"
	"strconv"
	"strings"

	"previewenv/lambdas/internal/guard"
)

var (
	commitID    = regexp.MustCompile(`^[0-9a-fA-F]{7,40}$`)
	shortHex    = regexp.MustCompile(`^[0-9a-fA-F]{4,6}$`)
	pullNumber  = regexp.MustCompile(`^#([1-9][0-9]{0,8})$`)
	bareNumber  = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)
	pullURL     = regexp.MustCompile(`^https?://[A-Za-z0-9.-]+/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)/pull/([1-9][0-9]{0,8})([/?#][^\s]*)?$`)
	commitURL   = regexp.MustCompile(`^https?://[A-Za-z0-9.-]+/([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)/(?:commit|pull/[0-9]+/commits)/([0-9a-fA-F]{7,40})([/?#][^\s]*)?$`)
	hostURL     = regexp.MustCompile(`^https?://([A-Za-z0-9-]+)[.:/]`)
	serviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,74}$`)
)

// reference is what one word names, read by its shape alone.
type reference struct {
	commit     string // lower case
	pull       int
	repository string // owner/name, from a URL
}

func (r reference) zero() bool { return r == reference{} }

// refer reads a commit, #1, or the URL of a commit or a pull request.
func refer(s string) reference {
	if m := commitURL.FindStringSubmatch(s); m != nil {
		return reference{commit: strings.ToLower(m[2]), repository: m[1]}
	}
	if m := pullURL.FindStringSubmatch(s); m != nil {
		return reference{pull: number(m[2]), repository: m[1]}
	}
	if m := pullNumber.FindStringSubmatch(s); m != nil {
		return reference{pull: number(m[1])}
	}
	if commitID.MatchString(s) {
		return reference{commit: strings.ToLower(s)}
	}
	return reference{}
}

// number reads digits that an expression has let through.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

func isLabel(s string) bool { return guard.Guard{}.Label(s) == nil }

// guessLabel writes a label as DNS can have it, or gives nothing.
func guessLabel(s string) string {
	if m := hostURL.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	s = strings.Map(func(r rune) rune {
		if r == '_' || r == '.' || r == '/' || r == ' ' {
			return '-'
		}
		return r
	}, strings.ToLower(s))
	if s = strings.Trim(s, "-"); isLabel(s) {
		return s
	}
	return ""
}
