package request

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// The fields of a request, as faults name them.
const (
	FieldCommit      = "commitId"
	FieldServices    = "servicesToProvision"
	FieldOverrides   = "environmentVariablesOverrides"
	FieldTTL         = "ttlMinutes"
	FieldEnvironment = "environment"
	FieldPullRequest = "pullRequest"
	FieldRequestedBy = "requestedBy"
)

// GitHub is what a Validator asks about commits; its faults are of the words of a
// person, and those about the request are named BadRequest.
type GitHub interface {
	Commit(ctx context.Context, repo, ref string) (sha string, err error)
	PullRequest(ctx context.Context, repo, sha string) (int, error)
	Head(ctx context.Context, repo string, number int) (sha string, err error)
}

// Validator holds requests to the catalog.
type Validator struct {
	Settings *catalog.Settings
	// Services reads the named services of the catalog.
	Services func(ctx context.Context, names ...string) (map[string]catalog.Service, error)
	GitHub   GitHub
	// Prefix is the installation's: its own secrets are named below it.
	Prefix string
}

// Validate says what a request wants. A fault.List has everything that is wrong
// with the request; any other error is about a look-up, and may pass.
func (v Validator) Validate(ctx context.Context, r statemachine.Request) (Wanted, error) {
	p := &pass{Validator: v, request: r, wanted: Wanted{Queues: r.ProvisionQueues}}
	p.services()
	p.lifetime()
	p.commitShape()
	p.pullRequestShape()
	p.requestedBy()
	p.overrides(ctx)
	p.commit(ctx)
	p.label()
	// What the person can mend comes first: with it, a look-up may not be needed.
	if err := p.faults.Err(); err != nil {
		return Wanted{}, err
	}
	if p.err != nil {
		return Wanted{}, p.err
	}
	return p.wanted, nil
}

// pass is one validation on its way.
type pass struct {
	Validator

	request    statemachine.Request
	wanted     Wanted
	repository string // key in the catalog, once it is known
	commitBad  bool   // the commit was refused, so that nothing can be asked about it
	faults     fault.List
	err        error // of a look-up
}

func (p *pass) refuse(field string, f *fault.Fault) {
	p.faults = append(p.faults, f.In(field))
}

func bad(format string, args ...any) *fault.Fault {
	return fault.New(statemachine.ErrBadRequest, format, args...)
}

// note keeps the error of a look-up: beside the other faults when it is about the
// request, and otherwise on its own.
func (p *pass) note(err error) {
	var list fault.List
	switch {
	case errors.As(err, &list):
		p.faults = append(p.faults, list...)
	case fault.Is(err, statemachine.ErrBadRequest):
		p.faults = append(p.faults, fault.As(err))
	case p.err == nil:
		p.err = err
	}
}

func (p *pass) lifetime() {
	limits, minutes := p.Settings.Lifetime, p.request.TTLMinutes
	longest := int(time.Duration(limits.Max) / time.Minute)
	switch {
	case minutes == 0:
		p.wanted.Lifetime = time.Duration(limits.Default)
	case minutes < 0:
		p.refuse(FieldTTL, bad("A lifetime of %d minutes is negative.", minutes).
			WithNext("Ask for at least 1, or leave it out for %s.", limits.Default))
	case minutes > longest && longest == 0:
		p.refuse(FieldTTL, bad("A lifetime of %d minutes is too long: an environment lives for at most %s.", minutes, limits.Max).
			WithNext("Leave it out for %s.", limits.Default))
	case minutes > longest:
		p.refuse(FieldTTL, bad("A lifetime of %d minutes is too long: an environment lives for at most %s.", minutes, limits.Max).
			WithNext("Ask for %d minutes, and extend it when they are nearly over.", longest))
	default:
		p.wanted.Lifetime = time.Duration(minutes) * time.Minute
	}
}

// ownerForm is what the value of a tag may have (botocore, ELBv2 and ECS: Tag); ids of
// Slack's and GitHub's, names and addresses all fit.
var ownerForm = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

// longestOwner is a tag's (botocore).
const longestOwner = 256

// requestedBy becomes the tag Owner of whatever is made.
func (p *pass) requestedBy() {
	owner := p.request.RequestedBy
	switch {
	case utf8.RuneCountInString(owner) > longestOwner:
		p.refuse(FieldRequestedBy, bad("requestedBy has %d characters; at most %d are taken.", utf8.RuneCountInString(owner), longestOwner).
			WithNext("Name a person, such as a Slack user ID."))
	case !ownerForm.MatchString(owner) || strings.HasPrefix(strings.ToLower(owner), "aws:"):
		p.refuse(FieldRequestedBy, bad("requestedBy cannot be %s: it becomes a tag.", shown(owner)).
			WithNext("Letters, digits, spaces and _ . : / = + - @ are taken, and aws: is no beginning."))
	}
}

func (p *pass) overrides(ctx context.Context) {
	if len(p.wanted.Services) == 0 {
		return // said already; whom the overrides are for is not known
	}
	var backends []string
	for _, name := range p.wanted.Services {
		if entry, ok := p.entry(name); ok && !entry.Frontend {
			backends = append(backends, name)
		}
	}
	services := map[string]catalog.Service{}
	if len(backends) > 0 && given(p.request.EnvironmentVariablesOverrides) {
		var err error
		if services, err = p.Validator.Services(ctx, backends...); err != nil {
			p.note(err)
			return
		}
	}
	parsed, faults := ParseOverrides(p.request.EnvironmentVariablesOverrides, services)
	p.wanted.Overrides = parsed
	p.faults = append(p.faults, faults...)
	for _, service := range slices.Sorted(maps.Keys(parsed)) {
		for _, name := range slices.Sorted(maps.Keys(parsed[service])) {
			if p.own(parsed[service][name].Secret) {
				p.refuse(FieldOverrides, bad("The secret of %s is the platform's own.", name).WithNext("Name a secret of your service."))
				return
			}
		}
	}
}

// own tells the secrets by which the suite itself speaks to Slack and GitHub, by name or
// by ARN.
func (p *pass) own(secret string) bool {
	if _, name, found := strings.Cut(secret, ":secret:"); found {
		secret = name
	}
	for _, ours := range []string{"slack-token", "slack-signing-secret", "github-token"} {
		if strings.HasPrefix(secret, p.Prefix+"/"+ours) {
			return true
		}
	}
	return false
}

func (p *pass) entry(name string) (catalog.Entry, bool) {
	for _, e := range p.Settings.Services {
		if e.Name == name {
			return e, true
		}
	}
	return catalog.Entry{}, false
}
