package git

import (
	"context"
	"fmt"
	"strings"
)

// The answers as GitHub spells them; only what is true of a local repository.
type (
	commitAnswer struct {
		SHA     string       `json:"sha"`
		HTMLURL string       `json:"html_url"`
		Commit  commitDetail `json:"commit"`
		Author  user         `json:"author"`
		Parents []parent     `json:"parents"`
		Files   []file       `json:"files"`
	}
	commitDetail struct {
		Message   string    `json:"message"`
		Author    signature `json:"author"`
		Committer signature `json:"committer"`
	}
	signature struct {
		Name  string `json:"name"`
		Email string `json:"email"`
		Date  string `json:"date"`
	}
	user struct {
		Login string `json:"login"`
	}
	parent struct {
		SHA string `json:"sha"`
	}
	file struct {
		Filename string `json:"filename"`
		Status   string `json:"status"`
	}
	pullRequest struct {
		Number  int     `json:"number"`
		State   string  `json:"state"`
		Title   string  `json:"title"`
		HTMLURL string  `json:"html_url"`
		Draft   bool    `json:"draft"`
		User    user    `json:"user"`
		Head    branch  `json:"head"`
		Base    branch  `json:"base"`
		Merged  *string `json:"merged_at"`
	}
	branch struct {
		Label string     `json:"label"`
		Ref   string     `json:"ref"`
		SHA   string     `json:"sha"`
		Repo  repository `json:"repo"`
	}
	repository struct {
		Name     string `json:"name"`
		FullName string `json:"full_name"`
		Owner    user   `json:"owner"`
		Default  string `json:"default_branch"`
	}
)

// statuses are git's letters for a changed file, in GitHub's words.
var statuses = map[string]string{"A": "added", "M": "modified", "D": "removed"}

func (g *rest) describe(ctx context.Context, sha string) (commitAnswer, error) {
	out, err := g.repo.git(ctx, "show", "--no-patch", "--format=%H%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B", sha)
	if err != nil {
		return commitAnswer{}, err
	}
	part := strings.SplitN(out, "\n", 9)
	if len(part) < 9 {
		return commitAnswer{}, fmt.Errorf("read commit %s: git wrote %d lines", sha, len(part))
	}
	answer := commitAnswer{
		SHA: sha, HTMLURL: g.page("commit/" + sha), Author: user{part[2]}, Parents: []parent{}, Files: []file{},
		Commit: commitDetail{
			Message: part[8], Author: signature{part[2], part[3], part[4]}, Committer: signature{part[5], part[6], part[7]},
		},
	}
	for _, p := range strings.Fields(part[1]) {
		answer.Parents = append(answer.Parents, parent{p})
	}
	changed, err := g.repo.git(ctx, "diff-tree", "-r", "--root", "--no-commit-id", "--no-renames", "--name-status", sha)
	if err != nil {
		return commitAnswer{}, err
	}
	for _, line := range strings.Split(changed, "\n") {
		if letter, name, ok := strings.Cut(line, "\t"); ok {
			answer.Files = append(answer.Files, file{Filename: name, Status: statuses[letter]})
		}
	}
	return answer, nil
}

func (g *rest) describePull(ctx context.Context, number int) (pullRequest, error) {
	head, err := g.repo.resolve(ctx, pullRef(number))
	if err != nil {
		return pullRequest{}, err
	}
	base, err := g.repo.git(ctx, "merge-base", Main, head)
	if err != nil {
		return pullRequest{}, err
	}
	titles, err := g.repo.git(ctx, "log", "--reverse", "--format=%s", base+".."+head)
	if err != nil {
		return pullRequest{}, err
	}
	title, _, _ := strings.Cut(titles, "\n")
	return pullRequest{
		Number: number, State: "open", Title: title, HTMLURL: g.page(fmt.Sprintf("pull/%d", number)),
		User: user{author}, Head: g.branch(branchOf(number), head), Base: g.branch(Main, base),
	}, nil
}

func (g *rest) branch(name, sha string) branch {
	owner, short, _ := strings.Cut(g.name, "/")
	return branch{
		Label: owner + ":" + name, Ref: name, SHA: sha,
		Repo: repository{Name: short, FullName: g.name, Owner: user{owner}, Default: Main},
	}
}

func (g *rest) page(rest string) string { return "https://github.com/" + g.name + "/" + rest }
