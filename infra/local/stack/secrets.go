package stack

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// told remembers the secrets that came with requests, so that the logs can be
// searched for them.
type told struct {
	mu   sync.Mutex
	what map[string]string // what a secret is, by itself
}

func (t *told) remember(what, secret string) {
	if secret == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.what == nil {
		t.what = map[string]string{}
	}
	t.what[secret] = what
}

// signatures remembers what Slack sends to the door: its signature, and the URL that
// lets anybody answer in its name.
func (t *told) signatures(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.remember("a signature of Slack", r.Header.Get("X-Slack-Signature"))
		if body, ok := reread(w, r); ok {
			if form, err := url.ParseQuery(string(body)); err == nil {
				t.remember("a response_url", form.Get("response_url"))
			}
			next.ServeHTTP(w, r)
		}
	})
}

var taskToken = regexp.MustCompile(`"taskToken":\s*"([^"]+)"`)

// taskTokens remembers what lets anybody end a wait of an execution.
func (t *told) taskTokens(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := reread(w, r)
		if !ok {
			return
		}
		for _, found := range taskToken.FindAllSubmatch(body, -1) {
			t.remember("a task token", string(found[1]))
		}
		next.ServeHTTP(w, r)
	})
}

// maxBody is over what Lambda takes, which is the next one's to refuse.
const maxBody = 16 << 20

// reread reads the body of a request and puts it back.
func reread(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, true
}

// Secret makes SecretsInLogs search for one more.
func (s *Stack) Secret(what, secret string) { s.told.remember(what, secret) }

// SecretsInLogs searches all logs of this stack for every secret that was in use, and
// says which log holds what.
func (s *Stack) SecretsInLogs() (found []string, err error) {
	s.told.remember("Slack's token", s.secrets.SlackToken)
	s.told.remember("Slack's signing secret", s.secrets.SlackSigningSecret)
	s.told.remember("GitHub's token", s.secrets.GitHubToken)
	logs, err := filepath.Glob(filepath.Join(s.options.Dir, "logs", "*.log"))
	if err != nil || len(logs) == 0 {
		return nil, fmt.Errorf("find logs: %d, %w", len(logs), err)
	}
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	heads := byHead(s.told.what)
	for _, path := range logs {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		for secret := range holds(string(data), heads) {
			found = append(found, filepath.Base(path)+" holds "+s.told.what[secret])
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// headLength is of the beginning of a secret by which it is looked up: a long run has
// tens of thousands of secrets and a hundred MB of logs, which is read once.
const headLength = 8

// byHead are secrets by their first bytes. A shorter one is by all that it has.
func byHead(secrets map[string]string) map[string][]string {
	heads := map[string][]string{}
	for secret := range secrets {
		head := secret[:min(headLength, len(secret))]
		heads[head] = append(heads[head], secret)
	}
	return heads
}

// holds tells which of the secrets a text holds.
func holds(text string, heads map[string][]string) map[string]bool {
	lengths := map[int]bool{}
	for head := range heads {
		lengths[len(head)] = true
	}
	found := map[string]bool{}
	for length := range lengths {
		for i := range len(text) - length + 1 {
			for _, secret := range heads[text[i:i+length]] {
				if strings.HasPrefix(text[i:], secret) {
					found[secret] = true
				}
			}
		}
	}
	return found
}
