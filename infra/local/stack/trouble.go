package stack

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// trouble is what goes wrong beside AWS's API, because somebody wants it to.
type trouble struct {
	mu       sync.Mutex
	silent   map[string]bool // channels that Slack answers nothing about
	delivery map[string]int  // how often the end of a commit's build is told
}

// SilenceSlack makes Slack's API fail for one channel, as in an outage, until the
// returned func is called.
func (s *Stack) SilenceSlack(channel string) (end func()) {
	t := &s.trouble
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.silent == nil {
		t.silent = map[string]bool{}
	}
	t.silent[channel] = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.silent, channel)
	}
}

// TellBuilds sets how often the end of each build of a commit is told: 0 is lost,
// 2 is doubled, as EventBridge may (at least once).
func (s *Stack) TellBuilds(commit string, times int) {
	t := &s.trouble
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.delivery == nil {
		t.delivery = map[string]int{}
	}
	t.delivery[commit] = times
}

// Restart ends the functions' idle processes, so that the next invocations are cold
// starts.
func (s *Stack) Restart() { s.functions.Restart() }

// slack stands before Slack's API.
func (t *trouble) slack(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if t.isSilent(body) {
			http.Error(w, "service unavailable", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isSilent tells whether a call's body, a form or JSON, names a silent channel.
func (t *trouble) isSilent(body []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.silent) == 0 {
		return false
	}
	var in struct{ Channel string }
	if json.Unmarshal(body, &in) != nil {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return false
		}
		in.Channel = form.Get("channel")
	}
	return t.silent[in.Channel]
}

// events is how often a build's event is delivered.
func (t *trouble) events(event []byte) int {
	var in struct {
		Detail struct {
			More struct {
				Commit string `json:"source-version"`
			} `json:"additional-information"`
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if json.Unmarshal(event, &in) == nil {
		if times, ok := t.delivery[in.Detail.More.Commit]; ok {
			return times
		}
	}
	return 1
}
