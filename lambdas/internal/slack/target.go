package slack

import (
	"strings"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// Target is how a person names an environment that exists. A word that may be
// both a label and a commit is in both fields; the label is to be looked up first.
type Target struct {
	Label       string
	Commit      string // 7 or more digits, lower case
	PullRequest int
	Repository  string // owner/name, where a URL was given
}

// Extend is the wish for a longer life.
type Extend struct {
	Empty bool // nothing was typed: the usage is wanted
	Target
	By        time.Duration // whole minutes, more than 0
	Corrected string
}

// CleanUp is the wish for an end.
type CleanUp struct {
	Empty bool // nothing was typed: the usage is wanted
	Target
	Corrected string
}

// ParseExtend reads the text after /extendenv: an environment, and minutes or a time.
func ParseExtend(text string) (Extend, fault.List) {
	d := newDraft(CommandExtend, text)
	if len(d.words) == 0 {
		return Extend{Empty: true}, d.faults
	}
	e := Extend{Target: d.target(UsageExtend)}
	if rest := d.words[d.next:]; len(rest) == 0 {
		d.fault(bad(FieldTTL, "How much longer was not said.").WithNext("For example `%s`.", UsageExtend))
	} else {
		e.By = d.lifetime(rest)
	}
	e.Corrected = d.corrected()
	return e, d.faults
}

// lifetime reads all words that are left as one time, so that "2 hours" is
// understood, if not taken.
func (d *draft) lifetime(rest []word) time.Duration {
	texts := make([]string, len(rest))
	for i, w := range rest {
		texts[i] = w.text
	}
	n, guess, f := parseLifetime(strings.Join(texts, " "))
	if f == nil {
		return time.Duration(n) * time.Minute
	}
	f = f.WithNext("Write minutes or a time, for example `%s` or `/extendenv pr1 2h`.", UsageExtend)
	if guess == "" {
		d.fault(f)
		return 0
	}
	d.guess(f, d.next, guess)
	for i := d.next + 1; i < len(d.words); i++ {
		d.fixes[i] = ""
	}
	return 0
}

// ParseCleanUp reads the text after /cleanupenv: an environment.
func ParseCleanUp(text string) (CleanUp, fault.List) {
	d := newDraft(CommandCleanUp, text)
	if len(d.words) == 0 {
		return CleanUp{Empty: true}, d.faults
	}
	c := CleanUp{Target: d.target(UsageCleanUp)}
	if d.next < len(d.words) {
		d.fault(bad("", "One environment is removed at a time, and %d were named.", len(d.words)).
			WithNext("Send a command for each."))
	}
	c.Corrected = d.corrected()
	return c, d.faults
}

// target reads the first word as an environment.
func (d *draft) target(usage string) Target {
	w, at, _ := d.take()
	ref := refer(w.text)
	t := Target{Commit: ref.commit, PullRequest: ref.pull, Repository: ref.repository}
	if isLabel(w.text) {
		t.Label = w.text
	}
	if t != (Target{}) {
		return t
	}
	f := fault.New(statemachine.ErrBadRequest, "%q names no environment.", shown(w.text)).In(FieldEnvironment).
		WithNext("Give its label, its commit, or its pull request as a URL or #1, for example `%s`.", usage)
	if guess := guessLabel(w.text); guess != "" {
		d.guess(f, at, guess)
	} else {
		d.fault(f)
	}
	return t
}
