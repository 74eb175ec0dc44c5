package step

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
)

// TestAnEndThatSlackDidNotTakeIsShownByTheSweep has Slack out while an environment ends,
// until the stream has given its change up.
func TestAnEndThatSlackDidNotTakeIsShownByTheSweep(t *testing.T) {
	l := newLives(t)
	out, said := true, []string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if out {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		said = append(said, r.FormValue("text"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.2"}`)
	}))
	defer server.Close()
	client := slack.New("xoxb-token", server.URL, server.Client())
	notify := &Notify{
		Records: l.records, Settings: l.door.Settings, Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler),
		Slack: func(context.Context) (*slack.Client, error) { return client, nil },
	}
	told := func() error {
		return notify.Run(t.Context(), events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{{Change: events.DynamoDBStreamRecord{
			Keys: map[string]events.DynamoDBAttributeValue{"environment": events.NewStringAttribute("demo")},
		}}}})
	}
	version := func() int { return l.load(t).Environment.Version }
	sweeps := func(want bool, why string) {
		t.Helper()
		before := version()
		s := &sweep{Reap: &Reap{Records: l.records, Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}}
		s.showAgain(t.Context())
		if got := version() > before; got != want || len(s.out.Problems) > 0 {
			t.Errorf("%s: the sweep has written the record: %v, want %v (%v)", why, got, want, s.out.Problems)
		}
	}

	l.live(t, commit("1"))
	sweeps(false, "it lives")
	l.die(t)
	if err := told(); err == nil {
		t.Fatal("Slack is out, and the stream is not told to try again")
	}
	sweeps(false, "the stream has its time")
	l.now = l.now.Add(time.Hour)
	sweeps(true, "the stream has given up")
	if live, err := l.records.Live(t.Context()); len(live) > 0 || err != nil {
		t.Errorf("%v live (%v)", live, err)
	}
	out = false
	if err := told(); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "gone") {
		t.Errorf("Slack was told %q", said)
	}
	sweeps(false, "it was shown")
	if unshown, err := l.records.Unshown(t.Context()); err != nil || len(unshown) > 0 {
		t.Errorf("unshown are %v (%v)", unshown, err)
	}

	l.now = l.now.Add(time.Hour)
	out = true
	l.live(t, commit("2"))
	l.die(t)
	unshown, err := l.records.Unshown(t.Context())
	if diff := cmp.Diff([]string{"demo"}, unshown); diff != "" || err != nil {
		t.Errorf("unshown (-want +got) %v:\n%s", err, diff)
	}
	l.now = l.now.Add(25 * time.Hour)
	sweeps(false, "nobody waits for it any more")
	if env := l.load(t).Environment; env.State != record.Gone {
		t.Errorf("it is %s", env.State)
	}
}
