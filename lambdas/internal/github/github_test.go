package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

const (
	full  = "abcd1234ef567890abcd1234ef567890abcd1234"
	token = "ghs_not-a-token"
)

// serve answers one path with status and body, and says when it is asked otherwise.
func serve(t *testing.T, path string, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			t.Errorf("asked for %s, want %s", r.URL.Path, path)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("the token arrived as %q", got)
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := New(server.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestCommitIsTheFullSHA(t *testing.T) {
	client := serve(t, "/repos/acme/shop/commits/abcd123", func(w http.ResponseWriter, r *http.Request) {
		if accept := r.Header.Get("Accept"); !strings.HasSuffix(accept, ".sha") {
			t.Errorf("asked for %q, want the SHA alone", accept)
		}
		fmt.Fprint(w, full)
	})
	if got, err := client.Commit(t.Context(), "acme/shop", "abcd123"); got != full || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFaultsOfTheRequestAreToldFromThoseOfGitHub(t *testing.T) {
	limited := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Date(2030, 1, 2, 3, 4, 0, 0, time.UTC).Unix()))
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"API rate limit exceeded"}`)
	}
	secondary := say(http.StatusForbidden, `{"message":"slow down","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`)
	tests := []struct {
		rule   string
		answer http.HandlerFunc
		name   string
		field  string
		words  string
	}{
		{"an unknown commit is the request's", say(422, `{"message":"No commit found for SHA: abcd123"}`), statemachine.ErrBadRequest, "commitId", "There is no commit abcd123 in acme/shop."},
		{"a branch of that name is no commit", say(200, strings.Repeat("1", 40)), statemachine.ErrBadRequest, "commitId", "There is no commit abcd123 in acme/shop."},
		{"a repository that cannot be seen is the platform's", say(404, `{"message":"Not Found"}`), statemachine.ErrInternal, "", "the token may not read it"},
		{"a token that is refused is the platform's", say(401, `{"message":"Bad credentials"}`), statemachine.ErrInternal, "", "refuses the token"},
		{"so is one without the right", say(403, `{"message":"Resource not accessible"}`), statemachine.ErrInternal, "", "no right"},
		{"the rate limit passes, and is said when", limited, statemachine.ErrThrottled, "", "03:04 UTC"},
		{"so does the secondary one", secondary, statemachine.ErrThrottled, "", "in a minute"},
		{"so does 429", say(429, `{}`), statemachine.ErrThrottled, "", "in a minute"},
		{"a failure of GitHub passes", say(502, `oops`), statemachine.ErrUnavailable, "", "does not answer"},
		{"an answer that is no SHA is a defect", say(200, `{"sha":"x"}`), statemachine.ErrInternal, "", "no SHA"},
		{"any other answer is a defect", say(409, `{"message":"empty"}`), statemachine.ErrInternal, "", "409"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			_, err := serve(t, "/repos/acme/shop/commits/abcd123", test.answer).Commit(t.Context(), "acme/shop", "abcd123")
			f := fault.As(err)
			if f == nil {
				t.Fatalf("got %v, want a fault", err)
			}
			if f.Name != test.name || f.Field != test.field || !strings.Contains(f.Error(), test.words) || f.Next == "" {
				t.Errorf("got %s in %q: %v", f.Name, f.Field, f)
			}
			if strings.Contains(f.Error(), token) {
				t.Error("the token is in the words")
			}
		})
	}
}

func TestAServerThatIsAwayIsUnavailable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	client, err := New(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Head(t.Context(), "acme/shop", 1); !fault.Is(err, statemachine.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestPullRequestOfACommit(t *testing.T) {
	pull := func(number int, state, head string) string {
		return fmt.Sprintf(`{"number":%d,"state":%q,"head":{"sha":%q}}`, number, state, head)
	}
	tests := []struct {
		rule  string
		pulls []string
		want  int
	}{
		{"none is 0", nil, 0},
		{"one that was merged does not count", []string{pull(3, "closed", full)}, 0},
		{"the one whose head it is comes first", []string{pull(3, "open", full), pull(4, "open", "other")}, 3},
		{"then the newest", []string{pull(3, "open", "a"), pull(5, "open", "b"), pull(4, "open", "c")}, 5},
		{"of two heads the newest", []string{pull(3, "open", full), pull(4, "open", full)}, 4},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			client := serve(t, "/repos/acme/shop/commits/"+full+"/pulls", say(200, "["+strings.Join(test.pulls, ",")+"]"))
			if got, err := client.PullRequest(t.Context(), "acme/shop", full); got != test.want || err != nil {
				t.Errorf("got %d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestPullRequestsAreReadPastTheFirstPage(t *testing.T) {
	path := "/repos/acme/shop/commits/" + full + "/pulls"
	client := serve(t, path, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			fmt.Fprintf(w, `[{"number":2,"state":"open","head":{"sha":%q}}]`, full)
			return
		}
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=2>; rel="next"`, r.Host, path))
		fmt.Fprint(w, `[{"number":9,"state":"open","head":{"sha":"x"}}]`)
	})
	if got, err := client.PullRequest(t.Context(), "acme/shop", full); got != 2 || err != nil {
		t.Errorf("got %d, %v; want 2", got, err)
	}
}

func TestHeadOfAPullRequest(t *testing.T) {
	client := serve(t, "/repos/acme/shop/pulls/7", say(200, fmt.Sprintf(`{"number":7,"head":{"sha":%q}}`, full)))
	if got, err := client.Head(t.Context(), "acme/shop", 7); got != full || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	client = serve(t, "/repos/acme/shop/pulls/7", say(404, `{"message":"Not Found"}`))
	_, err := client.Head(t.Context(), "acme/shop", 7)
	if f := fault.As(err); f == nil || f.Name != statemachine.ErrBadRequest || f.Field != "pullRequest" {
		t.Errorf("got %v, want a fault of the request", err)
	}
}

// rotated is a token that somebody has changed after it was first given.
func rotated(before, now string) Token {
	return func(_ context.Context, refused string) (string, error) {
		if refused == before {
			return now, nil
		}
		return before, nil
	}
}

func TestATokenThatWasRotatedIsTakenUpAtOnce(t *testing.T) {
	tests := []struct {
		rule          string
		before, after string
		calls         int
		refused       bool
	}{
		{"the new one is used for the same call", "old", "new", 2, false},
		{"one that is still the same is not tried again", "old", "old", 1, true},
		{"one that is wrong too is tried once", "old", "wrong", 2, true},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if r.Header.Get("Authorization") != "Bearer new" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				fmt.Fprint(w, full)
			}))
			defer server.Close()
			client, err := With(server.URL, rotated(test.before, test.after))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Commit(t.Context(), "acme/shop", full)
			if (err != nil) != test.refused || calls != test.calls {
				t.Errorf("Commit = %v after %d calls, want %d", err, calls, test.calls)
			}
		})
	}
}

func TestASecretThatCannotBeReadIsNoFaultOfGitHub(t *testing.T) {
	broken := errors.New("read secret pv/github-token: access denied")
	client, err := With("http://127.0.0.1:1", func(context.Context, string) (string, error) { return "", broken })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Head(t.Context(), "acme/shop", 1); !errors.Is(err, broken) || fault.As(err) != nil {
		t.Errorf("got %v", err)
	}
}
