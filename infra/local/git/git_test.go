package git

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v88/github"
)

func seed(t *testing.T) Repository {
	t.Helper()
	repo, err := Seed(t.Context(), t.TempDir(), filepath.Join("..", "..", "..", "testdata", "sample"))
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

func TestSeedIsTheSameEverywhere(t *testing.T) {
	first, second := seed(t), seed(t)
	if diff := cmp.Diff(first.Commits, second.Commits); diff != "" {
		t.Errorf("commits differ between two seeds (-first +second):\n%s", diff)
	}
	if first.Commits["pr1"] == "" || first.Commits["pr1"] != first.PullRequests[1] {
		t.Errorf("pr1 is %q, pull request 1 is %q", first.Commits["pr1"], first.PullRequests[1])
	}
}

func TestSeedReplacesAnOldRepository(t *testing.T) {
	dir, source := t.TempDir(), filepath.Join("..", "..", "..", "testdata", "sample")
	repo, err := Seed(t.Context(), dir, source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Push(t.Context(), 1, SetVersion("web", "2")); err != nil {
		t.Fatal(err)
	}
	if repo, err = Seed(t.Context(), dir, source); err != nil {
		t.Fatal(err)
	}
	head, err := repo.resolve(t.Context(), pullRef(1))
	if err != nil || head != repo.PullRequests[1] {
		t.Errorf("pull request 1 is at %s (%v), want %s", head, err, repo.PullRequests[1])
	}
}

func TestPullRequestsChangeWhatTheySay(t *testing.T) {
	repo := seed(t)
	want := map[string]string{"pr1": "service1 web", "pr2": "service1 service2"}
	for branch, folders := range want {
		out, err := repo.git(t.Context(), "diff", "--name-only", Main, branch)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range strings.Fields(out) {
			folder, _, _ := strings.Cut(name, "/")
			if len(got) == 0 || got[len(got)-1] != folder {
				got = append(got, folder)
			}
		}
		if diff := cmp.Diff(folders, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s changes other folders (-want +got):\n%s", branch, diff)
		}
	}
}

func TestPushMovesThePullRequest(t *testing.T) {
	for name, test := range map[string]struct {
		edit Edit
		file string
		want string
	}{
		"version":      {SetVersion("service1", "3"), "service1/version.txt", "3"},
		"broken build": {BreakBuild("service1"), "service1/broken.go", "no number"},
		"crash":        {Crash("service1"), "service1/Dockerfile", "CRASH=1"},
		"hang":         {Hang("service2"), "service2/Dockerfile", "HANG=1"},
		"locked":       {Lock("service1", 401), "service1/Dockerfile", "LOCKED=401"},
		"unhealthy":    {Unhealthy("service1"), "service1/Dockerfile", "HEALTH_STATUS=500"},
	} {
		t.Run(name, func(t *testing.T) {
			repo := seed(t)
			sha, err := repo.Push(t.Context(), 1, test.edit)
			if err != nil {
				t.Fatal(err)
			}
			head, err := repo.resolve(t.Context(), pullRef(1))
			if err != nil || head != sha {
				t.Errorf("pull request is at %s (%v), want %s", head, err, sha)
			}
			dir := filepath.Join(t.TempDir(), "tree")
			if err := repo.CheckOut(t.Context(), sha[:7], dir); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(filepath.Join(dir, test.file))
			if err != nil || !strings.Contains(string(content), test.want) {
				t.Errorf("%s is %q (%v), want it to hold %q", test.file, content, err, test.want)
			}
		})
	}
}

func TestPushOfNothingIsAnError(t *testing.T) {
	repo := seed(t)
	if _, err := repo.Push(t.Context(), 1, All()); err == nil {
		t.Error("a push that changes nothing made a commit")
	}
	if _, err := repo.Push(t.Context(), 9, SetVersion("web", "2")); err == nil {
		t.Error("a push to a pull request that is not there made a commit")
	}
}

func client(t *testing.T, repo Repository, prefix string, token ...string) *github.Client {
	t.Helper()
	server := httptest.NewServer(GitHub(repo, "acme/shop", "ghp"))
	t.Cleanup(server.Close)
	base := server.URL + prefix + "/"
	options := []github.ClientOptionsFunc{github.WithURLs(&base, &base)}
	for _, text := range token {
		options = append(options, github.WithAuthToken(text))
	}
	c, err := github.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGitHubAnswersItsClient(t *testing.T) {
	repo := seed(t)
	for _, prefix := range []string{"", "/api/v3"} {
		t.Run("at "+prefix+"/", func(t *testing.T) {
			c, ctx := client(t, repo, prefix, "ghp"), context.Background()
			pr1 := repo.Commits["pr1"]
			for _, name := range []string{pr1, pr1[:7], "pr1", "heads/pr1", "pull/1/head"} {
				sha, _, err := c.Repositories.GetCommitSHA1(ctx, "acme", "shop", name, "")
				if err != nil || sha != pr1 {
					t.Errorf("%s is %q (%v), want %s", name, sha, err, pr1)
				}
			}
			commit, response, err := c.Repositories.GetCommit(ctx, "acme", "shop", pr1[:7], nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.Rate.Limit != hourly {
				t.Errorf("rate limit is %d, want %d", response.Rate.Limit, hourly)
			}
			if commit.GetSHA() != pr1 || commit.Commit.GetMessage() != "Redesign the checkout" ||
				commit.GetAuthor().GetLogin() != author || commit.Parents[0].GetSHA() != repo.Commits[Main] || len(commit.Files) != 3 {
				t.Errorf("commit is %v", commit)
			}
			if _, _, err := c.Repositories.GetCommit(ctx, "acme", "shop", Main, nil); err != nil {
				t.Errorf("a commit without parents: %v", err)
			}
			pull, _, err := c.PullRequests.Get(ctx, "acme", "shop", 1)
			if err != nil || pull.GetHead().GetSHA() != pr1 || pull.GetHead().GetRef() != "pr1" || pull.GetState() != "open" {
				t.Errorf("pull request 1 is %v (%v)", pull, err)
			}
		})
	}
}

func TestGitHubFindsThePullRequestsOfACommit(t *testing.T) {
	repo := seed(t)
	old := repo.Commits["pr1"]
	update, err := repo.Push(t.Context(), 1, SetVersion("service1", "1.2.0-pr1"))
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, repo, "", "ghp")
	for name, test := range map[string]struct {
		commit string
		want   []int
	}{
		"the head":                 {update, []int{1}},
		"an older commit":          {old, []int{1}},
		"another pull request":     {repo.Commits["pr2"], []int{2}},
		"the default branch: none": {repo.Commits[Main], []int{}},
	} {
		t.Run(name, func(t *testing.T) {
			pulls, _, err := c.PullRequests.ListPullRequestsWithCommit(t.Context(), "acme", "shop", test.commit, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := []int{}
			for _, pull := range pulls {
				got = append(got, pull.GetNumber())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("pull requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGitHubRefuses(t *testing.T) {
	c := client(t, seed(t), "", "ghp")
	sha1 := func(owner, ref string) func() (*github.Response, error) {
		return func() (*github.Response, error) {
			_, response, err := c.Repositories.GetCommitSHA1(t.Context(), owner, "shop", ref, "")
			return response, err
		}
	}
	for name, test := range map[string]struct {
		call   func() (*github.Response, error)
		status int
		words  string
	}{
		"an unknown repository":    {sha1("other", "main"), http.StatusNotFound, "Not Found"},
		"an unknown SHA":           {sha1("acme", strings.Repeat("d", 40)), http.StatusUnprocessableEntity, "No commit found for SHA: dddd"},
		"a revision expression":    {sha1("acme", "main~0"), http.StatusUnprocessableEntity, "No commit found"},
		"an option in place of it": {sha1("acme", "--all"), http.StatusUnprocessableEntity, "No commit found"},
		"an unknown pull request": {func() (*github.Response, error) {
			_, response, err := c.PullRequests.Get(t.Context(), "acme", "shop", 77)
			return response, err
		}, http.StatusNotFound, "Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := test.call()
			if err == nil || response.StatusCode != test.status || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want status %d with %q", err, test.status, test.words)
			}
		})
	}
}

func TestGitHubSaysNotModified(t *testing.T) {
	repo := seed(t)
	_, response, err := client(t, repo, "", "ghp").Repositories.GetCommitSHA1(t.Context(), "acme", "shop", "pr1", repo.Commits["pr1"])
	if err == nil || response.StatusCode != http.StatusNotModified {
		t.Errorf("got %v, want status 304", err)
	}
}

func TestGitHubShowsAPrivateRepositoryOnlyToItsToken(t *testing.T) {
	repo := seed(t)
	for token, want := range map[string]int{"": http.StatusNotFound, "other": http.StatusUnauthorized, "ghp": http.StatusOK} {
		var tokens []string
		if token != "" {
			tokens = []string{token}
		}
		_, response, _ := client(t, repo, "", tokens...).Repositories.GetCommitSHA1(t.Context(), "acme", "shop", "pr1", "")
		if response.StatusCode != want {
			t.Errorf("with the token %q: %d, want %d", token, response.StatusCode, want)
		}
	}
}
