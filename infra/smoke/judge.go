package smoke

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// phase is what an environment may answer for a while.
type phase struct {
	name    string
	commits []string // of the environment's own services
	pages   bool     // or the page of a host that is not live
	early   bool     // or nothing good yet: an error counts from Ready on
	rolling bool     // or one commit marked as another: a mark changes when all have
	leaving bool     // or somebody else's refusal: a part may be gone before the host
	any     bool     // or anything: the life has failed
	// Until then an edge may not have been told: what was right before is late, not wrong.
	until   time.Time
	earlier []string // commits that were right before
}

// Kind is what an answer is.
type Kind string

// The kinds of answers.
const (
	Own      Kind = "own"      // of the environment's own service
	Lied     Kind = "lied"     // marked as one commit, and of another
	Baseline Kind = "baseline" // of a shared service, at the path of an own one
	Page     Kind = "page"     // of a host that is starting, gone or unknown
	Broken   Kind = "broken"   // a status of 500 or above, or none
	Unmarked Kind = "unmarked" // by nobody who says who he is
)

// Answer is one, judged.
type Answer struct {
	At      time.Time // when it was asked for
	Took    time.Duration
	Service string
	Phase   string
	Kind    Kind
	Status  int
	Commit  string // as its header says
	Says    string // as its body does, if it does
	Wrong   string // why it is; empty when it is not
	Late    bool   // it would be wrong, if every edge had been told by then
}

// classify says what an answer is, by its headers. A body that is JSON and names a
// commit, as the sample's does, is held to them.
func classify(a *Answer, header http.Header, body []byte) {
	a.Commit = header.Get("x-preview-commit")
	var says struct{ Commit string }
	_ = json.Unmarshal(body, &says) // another application's need not be JSON
	source, environment := header.Get("x-preview-source"), header.Get("x-preview-environment")
	switch {
	case source == "fallback", source == "" && says.Commit != "":
		a.Kind = Baseline
	case source == "" && environment != "" && (a.Status == http.StatusNotFound || a.Status == http.StatusServiceUnavailable):
		a.Kind = Page
	case a.Status >= http.StatusInternalServerError:
		a.Kind = Broken
	case source == "override" && says.Commit != "" && says.Commit != a.Commit:
		a.Kind, a.Says = Lied, says.Commit
	case source == "override":
		a.Kind = Own
	default:
		a.Kind = Unmarked
	}
}

// late tells whether an answer is from an edge that was not told yet. An error, the
// baseline under another name and a wrong mark are never excused so.
func (p phase) late(a Answer) bool {
	if !a.At.Before(p.until) {
		return false
	}
	return a.Kind == Page || a.Kind == Unmarked && a.Status < http.StatusInternalServerError ||
		a.Kind == Own && slices.ContainsFunc(p.earlier, func(c string) bool { return strings.HasPrefix(a.Commit, c) })
}

// judge says why an answer is wrong in a phase; empty when it is right.
func (p phase) judge(a Answer) string {
	if p.any {
		return ""
	}
	ours := func(commit string) bool {
		return slices.ContainsFunc(p.commits, func(c string) bool { return strings.HasPrefix(commit, c) })
	}
	switch a.Kind {
	case Own:
		if ours(a.Commit) {
			return ""
		}
		return "it is of another commit"
	case Page:
		if p.pages {
			return ""
		}
		return "it is the page of a host that is not live"
	case Lied:
		if p.rolling && ours(a.Commit) && ours(a.Says) {
			return ""
		}
		return "it says one commit and is of another"
	case Baseline:
		return "it is the baseline's, under the name of an override"
	case Broken:
		if p.early {
			return ""
		}
		return "it is an error"
	}
	if p.early || p.leaving {
		return ""
	}
	return "nobody says whose it is"
}
