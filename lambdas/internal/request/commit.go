package request

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"previewenv/lambdas/catalog"
)

// shortCommit is how much of a commit names an environment that has no pull request.
const shortCommit = 7

var commitForm = regexp.MustCompile(`^[0-9a-fA-F]{7,40}$`)

// commitShape refuses what cannot be a commit, before anybody is asked about it.
func (p *pass) commitShape() {
	switch commit := p.request.CommitID; {
	case commit == "" && p.request.PullRequest == 0:
		p.commitBad = true
		p.refuse(FieldCommit, bad("No commit is named.").WithNext("Name a commit of the pull request: 7 to 40 hexadecimal digits."))
	case commit != "" && !commitForm.MatchString(commit):
		p.commitBad = true
		p.refuse(FieldCommit, bad("%s is no commit.", shown(commit)).WithNext("A commit has 7 to 40 hexadecimal digits; copy its SHA from GitHub."))
	}
}

func (p *pass) pullRequestShape() {
	if p.request.PullRequest < 0 {
		p.commitBad = p.commitBad || p.request.CommitID == ""
		p.refuse(FieldPullRequest, bad("%d is no pull request.", p.request.PullRequest).WithNext("Its number is in its URL."))
		return
	}
	p.wanted.PullRequest = p.request.PullRequest
}

// commit looks up the full SHA, and the pull request unless it was named.
func (p *pass) commit(ctx context.Context) {
	if p.commitBad || p.wanted.Repository == "" {
		return
	}
	var sha string
	var err error
	if p.request.CommitID == "" {
		sha, err = p.GitHub.Head(ctx, p.wanted.Repository, p.wanted.PullRequest)
	} else {
		sha, err = p.GitHub.Commit(ctx, p.wanted.Repository, strings.ToLower(p.request.CommitID))
	}
	if err != nil {
		p.note(err)
		return
	}
	p.wanted.Commit = sha
	if p.request.PullRequest != 0 {
		return
	}
	if p.wanted.PullRequest, err = p.GitHub.PullRequest(ctx, p.wanted.Repository, sha); err != nil {
		p.note(err)
	}
}

// label chooses the environment's name: the one that was asked for, else that of
// the pull request, else that of the commit.
func (p *pass) label() {
	asked := p.request.Environment
	switch {
	case asked != "":
		p.wanted.Label = asked
	case p.wanted.PullRequest > 0 && p.repository != "":
		p.wanted.Label = p.Settings.RenderLabel(p.wanted.PullRequest, p.repository)
	case p.wanted.Commit != "":
		p.wanted.Label = "c-" + p.wanted.Commit[:shortCommit]
	default:
		return // the reason has been noted
	}
	switch {
	case !catalog.ValidLabel(p.wanted.Label):
		p.refuse(FieldEnvironment, bad("%s is no name for an environment.", shown(p.wanted.Label)).
			WithNext("It is the first part of its URL: up to %d lower-case letters, digits and single inner hyphens.", catalog.LongestLabel))
	case slices.Contains(p.Settings.Reserved(), p.wanted.Label):
		p.refuse(FieldEnvironment, bad("The name %q is taken by the platform.", p.wanted.Label).
			WithNext("Choose another, or leave it out."))
	}
}
