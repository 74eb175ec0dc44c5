// Package git is the sample repository of the local stack and of GitHub's REST API
// the calls that the functions use, answered from it. It knows the git binary and
// the sample's content, and nothing of AWS or of environments.
package git

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// Main is the default branch.
	Main = "main"
	// author signs every commit; GitHub's login of the pull requests is its name.
	author = "dev"
)

// epoch is the date of the first commit. Every later commit is an hour younger
// than its parent, so that the same content has the same SHA everywhere.
var epoch = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// Repository is a bare repository with main and some pull requests. The branch of
// pull request n is pr<n>, and GitHub's refs/pull/<n>/head points to the same commit.
type Repository struct {
	Path string // of the bare repository, absolute
	// Commits are the commits that Seed made, by branch: main, pr1, pr2.
	Commits map[string]string
	// PullRequests are the heads that Seed made, by number. A later Push moves the
	// branch, not this map.
	PullRequests map[int]string
}

// Edit changes the files of a worktree; what it leaves is committed.
type Edit func(worktree string) error

// Seed makes the bare repository sample.git in dir out of the files in source, with
// main and pull requests 1 (service1 and web) and 2 (service1's queue consumer and
// service2). One that is there already is replaced.
func Seed(ctx context.Context, dir, source string) (Repository, error) {
	// git runs in worktrees, where a relative path would be another one.
	path, err := filepath.Abs(filepath.Join(dir, "sample.git"))
	if err != nil {
		return Repository{}, fmt.Errorf("find %s: %w", dir, err)
	}
	repo := Repository{Path: path, Commits: map[string]string{}, PullRequests: map[int]string{}}
	if err := os.RemoveAll(path); err != nil {
		return repo, fmt.Errorf("remove old repository: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return repo, fmt.Errorf("make %s: %w", dir, err)
	}
	if _, err := run(ctx, dir, nil, "init", "--quiet", "--bare", "--initial-branch="+Main, path); err != nil {
		return repo, err
	}
	first, err := repo.commit(ctx, change{branch: Main, message: "Add the shop", edit: copyFrom(source)})
	if err != nil {
		return repo, err
	}
	repo.Commits[Main] = first
	for number, pull := range samplePulls {
		branch := branchOf(number + 1)
		head, err := repo.commit(ctx, change{
			branch: branch, base: first, message: pull.title, edit: pull.edit, refs: []string{pullRef(number + 1)},
		})
		if err != nil {
			return repo, err
		}
		repo.Commits[branch], repo.PullRequests[number+1] = head, head
	}
	return repo, nil
}

// Push commits what edit does on top of a pull request's head, as its author would,
// and returns the new head. It is an error if edit changes nothing.
func (r Repository) Push(ctx context.Context, pull int, edit Edit) (sha string, err error) {
	head, err := r.resolve(ctx, pullRef(pull))
	if err != nil {
		return "", fmt.Errorf("find pull request %d: %w", pull, err)
	}
	return r.commit(ctx, change{
		branch: branchOf(pull), base: head, message: "Update pull request " + strconv.Itoa(pull),
		edit: edit, refs: []string{pullRef(pull)},
	})
}

// CheckOut writes the files of a commit into dir, which must not exist or be empty.
func (r Repository) CheckOut(ctx context.Context, commit, dir string) error {
	sha, err := r.resolve(ctx, commit)
	if err != nil {
		return fmt.Errorf("find commit %s: %w", commit, err)
	}
	if _, err := run(ctx, "", nil, "clone", "--quiet", "--shared", "--no-checkout", r.Path, dir); err != nil {
		return err
	}
	_, err = run(ctx, dir, nil, "checkout", "--quiet", "--detach", sha)
	return err
}

// change is one commit to make.
type change struct {
	branch  string
	base    string   // commit to stand on; empty for the first
	refs    []string // further refs to point to it
	message string
	edit    Edit
}

// commit makes one commit in a worktree of its own and then moves its refs.
func (r Repository) commit(ctx context.Context, c change) (string, error) {
	tree, err := os.MkdirTemp("", "sample-")
	if err != nil {
		return "", fmt.Errorf("make worktree: %w", err)
	}
	defer func() { _ = os.RemoveAll(tree) }()
	date := epoch
	if c.base == "" {
		_, err = run(ctx, tree, nil, "init", "--quiet", "--initial-branch="+c.branch)
	} else {
		date, err = r.nextDate(ctx, c.base)
		if err == nil {
			err = r.CheckOut(ctx, c.base, tree)
		}
	}
	if err != nil {
		return "", err
	}
	if err := c.edit(tree); err != nil {
		return "", fmt.Errorf("edit %s: %w", c.branch, err)
	}
	stamp := []string{"GIT_AUTHOR_DATE=" + date.Format(time.RFC3339), "GIT_COMMITTER_DATE=" + date.Format(time.RFC3339)}
	if _, err := run(ctx, tree, nil, "add", "--all"); err != nil {
		return "", err
	}
	if _, err := run(ctx, tree, stamp, "commit", "--quiet", "--message", c.message); err != nil {
		return "", err
	}
	push := []string{"push", "--quiet", r.Path, "HEAD:refs/heads/" + c.branch}
	for _, ref := range c.refs {
		push = append(push, "HEAD:"+ref)
	}
	if _, err := run(ctx, tree, nil, push...); err != nil {
		return "", err
	}
	return run(ctx, tree, nil, "rev-parse", "HEAD")
}

func (r Repository) nextDate(ctx context.Context, base string) (time.Time, error) {
	text, err := r.git(ctx, "show", "--no-patch", "--format=%cI", base)
	if err != nil {
		return time.Time{}, err
	}
	date, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("read date of %s: %w", base, err)
	}
	return date.UTC().Add(time.Hour), nil
}

// git runs git on the bare repository.
func (r Repository) git(ctx context.Context, args ...string) (string, error) {
	return run(ctx, r.Path, nil, args...)
}

func branchOf(pull int) string { return "pr" + strconv.Itoa(pull) }
func pullRef(pull int) string  { return "refs/pull/" + strconv.Itoa(pull) + "/head" }

// run runs git without whatever configuration the user has, and returns what it
// wrote, trimmed.
func run(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	var out, fault bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &fault
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME="+author, "GIT_AUTHOR_EMAIL="+author+"@shop.example",
		"GIT_COMMITTER_NAME="+author, "GIT_COMMITTER_EMAIL="+author+"@shop.example")
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Run(); err != nil {
		words := cmp.Or(strings.TrimSpace(fault.String()), strings.TrimSpace(out.String()))
		return "", fmt.Errorf("run git %s: %w: %s", args[0], err, words)
	}
	return strings.TrimSpace(out.String()), nil
}

// copyFrom copies the files below source.
func copyFrom(source string) Edit {
	return func(worktree string) error {
		return filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(source, path)
			if err != nil {
				return err
			}
			target := filepath.Join(worktree, name)
			if entry.IsDir() {
				return os.MkdirAll(target, 0o755)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, content, 0o644)
		})
	}
}
