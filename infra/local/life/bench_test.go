package life

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/slack"
)

// BenchmarkDoor measures a signed command from the signature to the answer: the
// function as a process, with the record behind it in the emulator, which takes
// most of the time.
//
//	go test -run '^$' -bench Door ./infra/local/life
func BenchmarkDoor(b *testing.B) {
	for n := 0; b.Loop(); n++ {
		form := url.Values{"command": {"/extendenv"}, "text": {"nowhere 60"}, "user_id": {"U1"}, "channel_id": {"C1"},
			"trigger_id": {fmt.Sprint(n)}, "response_url": {"http://127.0.0.1:1/"}}.Encode()
		now := strconv.FormatInt(time.Now().Unix(), 10)
		if status, body := post(b, form, now, slack.Sign(world.Info.SlackSigningSecret, now, []byte(form))); status != 200 || body == "" {
			b.Fatalf("the door answers %d %s", status, body)
		}
	}
}

// crowd is how many environments BenchmarkFifty has at once.
const crowd = 50

// BenchmarkFifty provisions fifty environments of one backend at once, under the
// request rates that AWS grants an account (see edge.Throttle), waits until all are
// ready, and removes them at once. retries are the calls that were throttled;
// what got through is counted by backend on the way to Ready. The image is there
// already.
//
//	go test -run '^$' -bench Fifty -benchtime 1x ./infra/local/life
func BenchmarkFifty(b *testing.B) {
	commit := world.Repository.Commits["pr1"]
	provision(b, "first", commit+" service1 --as first")
	remove(b, "first")
	before := inventory(b)
	var mu sync.Mutex
	way := map[string]int{} // calls that were accepted on the way to Ready, by service
	counting := false
	world.Edge.Observe(func(c edge.Call) {
		mu.Lock()
		defer mu.Unlock()
		if counting && c.Environment != "" && c.Status == http.StatusOK && !edge.ReadOnly(c.Operation) && c.Step != "tune" {
			way[c.Service]++
		}
	})
	count := func(yes bool) {
		mu.Lock()
		defer mu.Unlock()
		counting = yes
	}
	world.Edge.Throttle()
	world.Quotas()
	defer world.Edge.Unthrottle()
	var ready, gone time.Duration
	for round := 0; b.Loop(); round++ {
		count(true)
		start := time.Now()
		together(b, func(label, somebody string) (string, string, string) {
			return somebody, "/provisionenv", commit + " service1 --as " + label
		}, "ready")
		ready += time.Since(start)
		count(false)
		start = time.Now()
		together(b, func(label, somebody string) (string, string, string) { return somebody, "/cleanupenv", label }, "gone")
		gone += time.Since(start)
	}
	retries := 0
	for bucket, n := range world.Edge.Throttles() {
		retries += n
		b.Logf("%s: %d throttled", bucket, n)
	}
	per := float64(b.N * crowd)
	b.ReportMetric(ready.Seconds()/float64(b.N), "s-to-ready")
	b.ReportMetric(gone.Seconds()/float64(b.N), "s-to-gone")
	b.ReportMetric(float64(way["elasticloadbalancing"])/per, "ELBv2-changes/backend")
	b.ReportMetric(float64(way["ecs"])/per, "ECS-changes/backend")
	b.ReportMetric(float64(retries)/float64(b.N), "retries")
	if diff := cmp.Diff(before, inventory(b)); diff != "" {
		b.Errorf("fifty removals left something (-before +after):\n%s", diff)
	}
}

// together types a command for each of the crowd at once, and waits until all are in
// a state.
func together(b *testing.B, ask func(label, somebody string) (user, name, text string), state string) {
	b.Helper()
	since := map[string]slack.Message{}
	var group sync.WaitGroup
	for i := range crowd {
		label := fmt.Sprintf("crowd%d", i)
		since[label] = message(b, label)
		user, name, text := ask(label, fmt.Sprintf("U0CROWD%02d", i)) // one person may have three
		group.Go(func() {
			if _, err := typed(b, user, name, text); err != nil {
				b.Errorf("%s %s: %v", name, text, err)
			}
		})
	}
	group.Wait()
	for i := range crowd {
		label := fmt.Sprintf("crowd%d", i)
		until(b, label, state, since[label])
	}
}
