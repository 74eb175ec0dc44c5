package slack

import (
	"slices"
	"strings"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// Slash commands.
const (
	CommandProvision = "/provisionenv"
	CommandExtend    = "/extendenv"
	CommandCleanUp   = "/cleanupenv"
)

// Usage of the slash commands.
const (
	UsageProvision = "/provisionenv abcd123 service1 service2 --ttl 2h --queues --env service1.LOG_LEVEL=debug"
	UsageExtend    = "/extendenv pr1 120"
	UsageCleanUp   = "/cleanupenv pr1"
)

// Provision is the wish for an environment.
type Provision struct {
	// Empty is true when nothing was typed: the form is wanted.
	Empty bool
	// Request has what was asked for, and neither who asked nor where.
	Request statemachine.Request
	// Repository is owner/name where the pull request or the commit came as a URL.
	Repository string
	TTL        time.Duration // 0 is the default; whole minutes
	// Corrected is the whole command as it was most likely meant, if there are
	// faults and each could be guessed.
	Corrected string
}

// provisionFlags are the flags of /provisionenv; all but --queues take a value.
var provisionFlags = []string{"--ttl", "--queues", "--env", "--as"}

// ParseProvision reads the text after /provisionenv: a commit, a pull request or
// both, services between spaces or commas, and flags, in any order. The faults
// are all there are; whether a service is in the catalog is not known here.
func ParseProvision(text string) (Provision, fault.List) {
	d := newDraft(CommandProvision, text)
	if len(d.words) == 0 && len(d.faults) == 0 {
		return Provision{Empty: true}, nil
	}
	r := &provisionReader{draft: d, overrides: newOverrides()}
	for {
		w, at, ok := d.take()
		if !ok {
			break
		}
		if name, value, has, isFlag := w.flag(); isFlag {
			r.flag(at, name, value, has)
			continue
		}
		r.words(w.text, at)
	}
	r.finish()
	r.wish.Corrected = d.corrected()
	return r.wish, d.faults
}

type provisionReader struct {
	*draft
	wish      Provision
	overrides *overrides
	doubt     int // index + 1 of a first word that may be a pull request or a short commit
}

// words reads one positional word: a reference, or services between commas.
func (r *provisionReader) words(text string, at int) {
	req := &r.wish.Request
	ref := refer(text)
	switch {
	case ref.commit != "" && req.CommitID == "", ref.pull != 0 && req.PullRequest == 0:
		r.wish.refer(ref)
		return
	case ref.pull != 0 && ref.pull != req.PullRequest:
		r.fault(bad(FieldPullRequest, "Two pull requests were named.").WithNext("An environment is of one: name one."))
		return
	case ref.pull != 0:
		r.wish.refer(ref)
		return
	}
	if at == 0 && (bareNumber.MatchString(text) || shortHex.MatchString(text)) {
		r.doubt = at + 1
		return
	}
	for name := range strings.SplitSeq(text, ",") {
		switch {
		case name == "":
		case !serviceName.MatchString(name):
			r.fault(bad(FieldServices, "%q cannot be the name of a service.", shown(name)).
				WithNext("Names of services have letters, digits, - and _ only."))
		default: // one that stands twice is refused where the catalog is known
			req.ServicesToProvision = append(req.ServicesToProvision, name)
		}
	}
}

func (p *Provision) refer(ref reference) {
	if ref.commit != "" {
		p.Request.CommitID = ref.commit
	}
	if ref.pull != 0 {
		p.Request.PullRequest = ref.pull
	}
	if ref.repository != "" {
		p.Repository = ref.repository
	}
}

// flag reads a flag, with its value from behind = or from the next word.
func (r *provisionReader) flag(at int, name, value string, has bool) {
	flag := "--" + strings.ToLower(name)
	if !slices.Contains(provisionFlags, flag) {
		near := Nearest(flag, provisionFlags)
		if near == "" {
			r.fault(bad("", "There is no flag %q.", shown("--"+name)).
				WithNext("There are --ttl, --queues, --env and --as."))
			return
		}
		fix := near
		if has {
			fix += "=" + value
		}
		r.guess(bad("", "There is no flag %q.", shown("--"+name)).WithNext("Did you mean %s?", near), at, fix)
		flag = near
	}
	if flag == "--queues" {
		r.queues(at, value, has)
		return
	}
	prefix := ""
	if has {
		prefix = flag + "="
	} else {
		w, i, ok := r.take()
		if _, _, _, isFlag := w.flag(); !ok || isFlag {
			if ok {
				r.next--
			}
			r.fault(bad(fieldOf(flag), "%s lacks its value.", flag).WithNext("For example %s.", exampleOf(flag)))
			return
		}
		value, at = w.text, i
	}
	switch flag {
	case "--ttl":
		r.ttl(at, prefix, value)
	case "--env":
		if f := r.overrides.add(value); f != nil {
			r.fault(f)
		}
	case "--as":
		r.as(at, prefix, value)
	}
}

func fieldOf(flag string) string {
	return map[string]string{"--ttl": FieldTTL, "--env": FieldOverrides, "--as": FieldEnvironment}[flag]
}

func exampleOf(flag string) string {
	return map[string]string{"--ttl": "`--ttl 2h`", "--env": "`--env service1.LOG_LEVEL=debug`", "--as": "`--as login-fix`"}[flag]
}

func (r *provisionReader) queues(at int, value string, has bool) {
	switch {
	case !has || value == "true":
		r.wish.Request.ProvisionQueues = true
	case value != "false":
		r.guess(bad(FieldQueues, "--queues takes no value.").WithNext("Write --queues alone."), at, "--queues")
	}
}

func (r *provisionReader) ttl(at int, prefix, value string) {
	n, guess, f := parseLifetime(value)
	switch {
	case f != nil && guess != "":
		r.guess(f, at, prefix+guess)
	case f != nil:
		r.fault(f)
	case r.wish.Request.TTLMinutes != 0 && r.wish.Request.TTLMinutes != n:
		r.fault(bad(FieldTTL, "--ttl was given twice.").WithNext("Give it once."))
	}
	r.wish.setTTL(n)
}

func (r *provisionReader) as(at int, prefix, value string) {
	if isLabel(value) {
		r.wish.Request.Environment = value
		return
	}
	f := bad(FieldEnvironment, "%q cannot be the label of an environment.", shown(value)).
		WithNext("A label has lower-case letters, digits and single hyphens, and at most 40 characters.")
	if guess := guessLabel(value); guess != "" {
		r.guess(f, at, prefix+guess)
		return
	}
	r.fault(f)
}

// finish asks for what is missing, once all has been read.
func (r *provisionReader) finish() {
	req := &r.wish.Request
	identified := req.CommitID != "" || req.PullRequest != 0
	switch first := r.doubt - 1; {
	case first >= 0 && !identified && bareNumber.MatchString(r.draft.words[first].text):
		text := r.draft.words[first].text
		r.guess(bad(FieldCommit, "%q is no commit.", text).WithNext("Write #%s for a pull request, or 7 or more digits of a commit.", text), first, "#"+text)
	case first >= 0 && !identified:
		r.fault(bad(FieldCommit, "%q is too short for a commit.", r.draft.words[first].text).WithNext("Give 7 or more digits of it."))
	case first >= 0:
		req.ServicesToProvision = append([]string{r.draft.words[first].text}, req.ServicesToProvision...)
	case !identified:
		r.fault(bad(FieldCommit, "No commit and no pull request was named.").
			WithNext("Give 7 or more digits of a commit, the URL of a pull request, or its number as #1."))
	}
	if len(req.ServicesToProvision) == 0 && !req.ProvisionQueues && !slices.ContainsFunc(r.faults, func(f *fault.Fault) bool { return f.Field == FieldServices }) {
		r.fault(bad(FieldServices, "No service was named.").
			WithNext("Name those that your change touches, for example `%s`.", UsageProvision))
	}
	for _, f := range r.overrides.check(req.ServicesToProvision) {
		r.fault(f)
	}
	req.EnvironmentVariablesOverrides = r.overrides.json()
}

// contradicts tells whether ref names another commit or pull request than was named.
func (p *Provision) contradicts(ref reference) bool {
	r := p.Request
	return (ref.commit != "" && r.CommitID != "" && ref.commit != r.CommitID) ||
		(ref.pull != 0 && r.PullRequest != 0 && ref.pull != r.PullRequest)
}

func (p *Provision) setTTL(minutes int) {
	p.Request.TTLMinutes, p.TTL = minutes, time.Duration(minutes)*time.Minute
}
