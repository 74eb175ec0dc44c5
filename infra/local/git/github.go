package git

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errNoCommit says that a ref names no commit.
var errNoCommit = errors.New("no commit found")

// ref is what GitHub takes for a commit: a SHA of 4 digits or more, or a branch, tag
// or ref name. Revision expressions (main~1) are none.
var ref = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./-]*$`)

// hourly is GitHub's primary rate limit for a token
// (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
const hourly = 5000

// GitHub answers the REST calls that the functions make, from repo as the repository
// name (owner/name), at the root and below /api/v3. It reads the repository anew for
// every call, so that a push shows at once. The repository is private: token may see
// it.
func GitHub(repo Repository, name, token string) http.Handler {
	api := &rest{repo: repo, name: name, token: token}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/{owner}/{repo}/commits/{ref...}", api.commit)
	mux.HandleFunc("GET /repos/{owner}/{repo}/pulls/{number}", api.pull)
	mux.HandleFunc("GET /repos/{owner}/{repo}/tarball/{ref...}", api.tarball)
	mux.HandleFunc("GET /codeload/{sha}", api.codeload)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound(w) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reset := time.Now().Add(time.Hour).Unix()
		w.Header().Set("X-RateLimit-Limit", strconv.Itoa(hourly))
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(hourly-1))
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset, 10))
		w.Header().Set("X-RateLimit-Resource", "core")
		http.StripPrefix("/api/v3", mux).ServeHTTP(w, prefixed(r))
	})
}

// prefixed puts /api/v3 before a path that lacks it, so that one mux serves both.
func prefixed(r *http.Request) *http.Request {
	if strings.HasPrefix(r.URL.Path, "/api/v3/") {
		return r
	}
	out := r.Clone(r.Context())
	out.URL.Path, out.URL.RawPath = "/api/v3"+r.URL.Path, ""
	return out
}

type rest struct {
	repo        Repository
	name, token string
}

// known answers 404 for any other repository, and to who shows no token, as GitHub
// does for one that may not be seen.
func (g *rest) known(w http.ResponseWriter, r *http.Request) bool {
	shown := r.Header.Get("Authorization")
	if shown != "" && shown != "Bearer "+g.token {
		fail(w, http.StatusUnauthorized, "Bad credentials")
		return false
	}
	if shown == "" || !strings.EqualFold(r.PathValue("owner")+"/"+r.PathValue("repo"), g.name) {
		notFound(w)
		return false
	}
	return true
}

// commit answers commits/{ref} and commits/{ref}/pulls; a ref may hold slashes.
func (g *rest) commit(w http.ResponseWriter, r *http.Request) {
	if !g.known(w, r) {
		return
	}
	name, pulls := strings.CutSuffix(r.PathValue("ref"), "/pulls")
	sha, err := g.repo.resolve(r.Context(), name)
	switch {
	case errors.Is(err, errNoCommit):
		fail(w, http.StatusUnprocessableEntity, "No commit found for SHA: "+name)
	case err != nil:
		fail(w, http.StatusInternalServerError, err.Error())
	case pulls:
		g.pullsOf(w, r, sha)
	case strings.Contains(r.Header.Get("Accept"), ".sha"):
		writeSHA(w, r, sha)
	default:
		answer, err := g.describe(r.Context(), sha)
		write(w, answer, err)
	}
}

// pullsOf lists the open pull requests that have a commit which main has not.
func (g *rest) pullsOf(w http.ResponseWriter, r *http.Request, sha string) {
	numbers, err := g.repo.pulls(r.Context())
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	found := []pullRequest{}
	for _, number := range numbers {
		in, err := g.repo.has(r.Context(), number, sha)
		if err == nil && in {
			var pull pullRequest
			pull, err = g.describePull(r.Context(), number)
			found = append(found, pull)
		}
		if err != nil {
			fail(w, http.StatusInternalServerError, err.Error())
			return
		}
	}
	write(w, found, nil)
}

func (g *rest) pull(w http.ResponseWriter, r *http.Request) {
	if !g.known(w, r) {
		return
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	numbers, listed := g.repo.pulls(r.Context())
	if err != nil || listed != nil || !slices.Contains(numbers, number) {
		notFound(w)
		return
	}
	answer, err := g.describePull(r.Context(), number)
	write(w, answer, err)
}

// resolve finds the full SHA of a SHA, an abbreviation or a ref.
func (r Repository) resolve(ctx context.Context, name string) (string, error) {
	if !ref.MatchString(name) || strings.Contains(name, "..") {
		return "", fmt.Errorf("%w for %q", errNoCommit, name)
	}
	sha, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%w for %q", errNoCommit, name)
	}
	return sha, nil
}

// pulls lists the numbers of the pull requests.
func (r Repository) pulls(ctx context.Context) ([]int, error) {
	out, err := r.git(ctx, "for-each-ref", "--format=%(refname)", "refs/pull/")
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, name := range strings.Fields(out) {
		text := strings.TrimSuffix(strings.TrimPrefix(name, "refs/pull/"), "/head")
		number, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("read ref %s: %w", name, err)
		}
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers, nil
}

// has tells whether a pull request adds a commit to main.
func (r Repository) has(ctx context.Context, pull int, sha string) (bool, error) {
	out, err := r.git(ctx, "rev-list", pullRef(pull), "^"+Main)
	if err != nil {
		return false, err
	}
	return slices.Contains(strings.Fields(out), sha), nil
}

// writeSHA answers the media type application/vnd.github.sha.
func writeSHA(w http.ResponseWriter, r *http.Request, sha string) {
	tag := strconv.Quote(sha)
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.github.sha; charset=utf-8")
	fmt.Fprint(w, sha)
}

func write(w http.ResponseWriter, answer any, err error) {
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	body, err := json.Marshal(answer)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // the client may be gone
}

func notFound(w http.ResponseWriter) { fail(w, http.StatusNotFound, "Not Found") }

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status),
	})
}
