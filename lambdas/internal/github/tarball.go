package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	api "github.com/google/go-github/v88/github"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// answerTimeout is until the first byte of a tarball, which GitHub makes when it is
// asked for.
const answerTimeout = 30 * time.Second

// moves are how often a repository may have been renamed.
const moves = 2

// archives downloads tarballs. It is no client of the API: GitHub serves them from
// another host, by a link that is its own credential and lives for minutes
// (docs.github.com/rest/repos/contents, "Download a repository archive (tar)").
var archives = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTimeout}}

// Tarball is the source of one commit (its full SHA) of repo, as it is downloaded: the
// caller closes it. Neither the token nor the link is in any error.
func (c *Client) Tarball(ctx context.Context, repo, commit string) (io.ReadCloser, error) {
	link, err := c.tarballLink(ctx, repo, commit)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link.String(), nil)
	if err != nil {
		return nil, errors.New("download source: GitHub's link to it is no URL")
	}
	response, err := archives.Do(request)
	if err != nil {
		return nil, translate(withoutURL(err), nil, "download commit %s of %s", commit, repo)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, translate(fmt.Errorf("the archive was answered %d", response.StatusCode), &api.Response{Response: response},
			"download commit %s of %s", commit, repo)
	}
	return response.Body, nil
}

func (c *Client) tarballLink(ctx context.Context, repo, commit string) (*url.URL, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	owner, name, _ := strings.Cut(repo, "/")
	link, response, err := c.api.Repositories.GetArchiveLink(ctx, owner, name, api.Tarball, &api.RepositoryContentGetOptions{Ref: commit}, moves)
	if err != nil {
		return nil, translate(withoutURL(err), response, "download commit %s of %s", commit, repo)
	}
	if link.Host == "" {
		return nil, fault.New(statemachine.ErrInternal, "GitHub says not where the source of commit %s of %s is.", commit, repo).
			WithNext("Tell the platform team.")
	}
	return link, nil
}

// withoutURL takes out of an error the URL that it was for: it may let anybody read
// the source.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
