// Package github asks GitHub about commits and pull requests, and answers in the
// words of a person who typed a commit. It knows nothing of the catalog or of
// environments.
package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	api "github.com/google/go-github/v88/github"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// timeout of one call. Slack waits 3 seconds for the whole answer, so a call that
// takes longer than this is of no use to anybody.
const timeout = 2500 * time.Millisecond

// Fields of a request that a fault points at.
const (
	fieldCommit      = "commitId"
	fieldPullRequest = "pullRequest"
)

var sha = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Client is GitHub's REST API as far as it is needed.
type Client struct {
	api *api.Client
}

// New makes a client of the API at url; an empty token reads public repositories.
func New(url, token string) (*Client, error) {
	return With(url, func(context.Context, string) (string, error) { return token, nil })
}

// With makes a client that asks source for its token at each call, and once more when
// GitHub refuses one. It calls nothing yet.
func With(url string, source Token) (*Client, error) {
	if !strings.HasSuffix(url, "/") {
		url += "/"
	}
	client, err := api.NewClient(
		api.WithHTTPClient(&http.Client{Timeout: timeout, Transport: &transport{source: source, next: http.DefaultTransport}}),
		api.WithURLs(&url, nil))
	if err != nil {
		return nil, fmt.Errorf("make GitHub client: %w", err)
	}
	return &Client{api: client}, nil
}

// Commit is the full SHA of a commit of repo (owner/name) that is given in full or
// abbreviated. One that is not there is a BadRequest fault.
func (c *Client) Commit(ctx context.Context, repo, ref string) (string, error) {
	owner, name, _ := strings.Cut(repo, "/")
	full, response, err := c.api.Repositories.GetCommitSHA1(ctx, owner, name, ref, "")
	if err != nil {
		// GitHub answers 422 for a commit, and 404 for a repository, that it does not have.
		if status(response) == http.StatusUnprocessableEntity {
			return "", noCommit(repo, ref, err)
		}
		return "", translate(err, response, "look up commit %s in %s", ref, repo)
	}
	full = strings.TrimSpace(full)
	// A branch may be called like an abbreviated SHA; only the commit is meant.
	if sha.MatchString(full) && !strings.HasPrefix(full, strings.ToLower(ref)) {
		return "", noCommit(repo, ref, nil)
	}
	if !sha.MatchString(full) {
		return "", fault.New(statemachine.ErrInternal, "GitHub answered something that is no SHA for commit %s in %s.", ref, repo).
			WithNext("Tell the platform team.")
	}
	return full, nil
}

func noCommit(repo, ref string, cause error) *fault.Fault {
	f := fault.New(statemachine.ErrBadRequest, "There is no commit %s in %s.", ref, repo).In(fieldCommit).
		WithNext("Push it first, or copy the SHA from the pull request's page.")
	f.Cause = cause
	return f
}

// PullRequest is the number of the open pull request that has the commit: the one
// whose head it is rather than one that has it further down, then the newest; 0
// when there is none.
func (c *Client) PullRequest(ctx context.Context, repo, commit string) (int, error) {
	owner, name, _ := strings.Cut(repo, "/")
	options := &api.ListOptions{PerPage: 100}
	var open []*api.PullRequest
	for {
		page, response, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, owner, name, commit, options)
		if err != nil {
			return 0, translate(err, response, "look up the pull requests of commit %s in %s", commit, repo)
		}
		for _, pr := range page {
			if pr.GetState() == "open" {
				open = append(open, pr)
			}
		}
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	if len(open) == 0 {
		return 0, nil
	}
	return slices.MaxFunc(open, func(a, b *api.PullRequest) int {
		return cmp.Or(cmp.Compare(isHead(a, commit), isHead(b, commit)), cmp.Compare(a.GetNumber(), b.GetNumber()))
	}).GetNumber(), nil
}

func isHead(pr *api.PullRequest, commit string) int {
	if pr.GetHead().GetSHA() == commit {
		return 1
	}
	return 0
}

// Head is the SHA of the newest commit of a pull request.
func (c *Client) Head(ctx context.Context, repo string, number int) (string, error) {
	owner, name, _ := strings.Cut(repo, "/")
	pr, response, err := c.api.PullRequests.Get(ctx, owner, name, number)
	if status(response) == http.StatusNotFound {
		f := fault.New(statemachine.ErrBadRequest, "There is no pull request %d in %s.", number, repo).In(fieldPullRequest).
			WithNext("Look up its number on GitHub, or name a commit.")
		f.Cause = err
		return "", f
	}
	if err != nil {
		return "", translate(err, response, "look up pull request %d in %s", number, repo)
	}
	if !sha.MatchString(pr.GetHead().GetSHA()) {
		return "", fault.New(statemachine.ErrInternal, "GitHub names no head commit of pull request %d in %s.", number, repo).
			WithNext("Name the commit instead.")
	}
	return pr.GetHead().GetSHA(), nil
}
