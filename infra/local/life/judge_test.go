package life

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// onTrial are the tests that judged was called for, and owners the tests that
// environments are of.
var onTrial, owners sync.Map

// judged fails a test, when it ends, for each call during it that AWS's models do not
// allow, but for one that was made for another test's environment.
func judged(t testing.TB, labels ...string) {
	t.Helper()
	for _, label := range labels {
		owners.Store(label, t.Name())
	}
	if _, twice := onTrial.LoadOrStore(t.Name(), true); twice {
		return
	}
	_, mark := world.Violations(0)
	t.Cleanup(func() {
		onTrial.Delete(t.Name())
		found, _ := world.Violations(mark)
		for _, v := range found {
			if owner, known := owners.Load(v.Environment); !known || strings.HasPrefix(t.Name(), owner.(string)) {
				t.Error(v)
			}
		}
	})
}

// oneMessage holds that a life has one status message: an older one is of a life that
// is over, and says so.
func oneMessage(t testing.TB, label string) {
	t.Helper()
	var said []string
	for _, m := range world.Slack.Messages(channelOf(t)) {
		if strings.HasPrefix(m.Text, label+" is ") {
			said = append(said, m.Text)
		}
	}
	for _, text := range said {
		if !strings.HasPrefix(text, label+" is gone") && !strings.HasPrefix(text, label+" is failed") {
			t.Errorf("%s has a second status message, or one that was left standing: %q", label, said)
			return
		}
	}
}

// get asks again where an edge finds nothing under a key that is being changed.
func get(t testing.TB, url string) page {
	t.Helper()
	p := getOnce(t, url)
	for range 10 {
		if !p.missed() {
			break
		}
		p = getOnce(t, url)
	}
	return p
}

// missed tells the gate's own answer where its key was not found for a moment.
func (p page) missed() bool {
	return p.Status == http.StatusServiceUnavailable && p.Header.Get("Retry-After") != "" &&
		(strings.Contains(p.Body, "could not be read") || strings.Contains(p.Body, "is not known here"))
}
