package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
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

// events is how often the end of a commit's build is delivered.
func (t *trouble) events(commit string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if times, ok := t.delivery[commit]; ok {
		return times
	}
	return 1
}

// commitOf is the commit whose source a build has read, which the object says; empty if
// the event names none.
func (s *Stack) commitOf(ctx context.Context, event []byte) string {
	var in struct {
		Detail struct {
			More struct {
				Source  struct{ Location string }
				Version string `json:"source-version"`
			} `json:"additional-information"`
		}
	}
	if json.Unmarshal(event, &in) != nil {
		return ""
	}
	bucket, key, _ := strings.Cut(in.Detail.More.Source.Location, "/")
	client := s3.NewFromConfig(clientConfig(s.edgeURL, "codebuild"), func(o *s3.Options) { o.UsePathStyle = true })
	out, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key, VersionId: &in.Detail.More.Version})
	if err != nil {
		return ""
	}
	return out.Metadata["commit"]
}
