package step

import (
	"context"
	"io"
	"sync"

	"previewenv/lambdas/internal/github"
)

// lazyGitHub reads its token when the first look-up comes, so that a cold start
// waits for no secret.
type lazyGitHub struct {
	api   string
	token func(context.Context) (string, error)

	mu     sync.Mutex
	client *github.Client
}

func (l *lazyGitHub) connect(ctx context.Context) (*github.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		return l.client, nil
	}
	token, err := l.token(ctx)
	if err != nil {
		return nil, err
	}
	l.client, err = github.New(l.api, token)
	return l.client, err
}

// Commit is the full SHA of a commit.
func (l *lazyGitHub) Commit(ctx context.Context, repo, ref string) (string, error) {
	client, err := l.connect(ctx)
	if err != nil {
		return "", err
	}
	return client.Commit(ctx, repo, ref)
}

// PullRequest is the open pull request that has a commit, or 0.
func (l *lazyGitHub) PullRequest(ctx context.Context, repo, sha string) (int, error) {
	client, err := l.connect(ctx)
	if err != nil {
		return 0, err
	}
	return client.PullRequest(ctx, repo, sha)
}

// Head is the head commit of a pull request.
func (l *lazyGitHub) Head(ctx context.Context, repo string, number int) (string, error) {
	client, err := l.connect(ctx)
	if err != nil {
		return "", err
	}
	return client.Head(ctx, repo, number)
}

// Tarball is the source of one commit.
func (l *lazyGitHub) Tarball(ctx context.Context, repo, commit string) (io.ReadCloser, error) {
	client, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	return client.Tarball(ctx, repo, commit)
}
