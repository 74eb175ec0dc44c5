package smoke

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

const old, fresh = "1111111111", "2222222222"

// The answers that an environment may give, as the edge and the sample give them.
var (
	ownOld    = said{200, "override", old, `{"commit":"` + old + `"}`}
	ownFresh  = said{200, "override", fresh, `{"commit":"` + fresh + `"}`}
	html      = said{200, "override", fresh, "<!doctype html>"}
	lied      = said{200, "override", fresh, `{"commit":"` + old + `"}`}
	shared    = said{200, "fallback", "baseline", `{"commit":"` + old + `"}`}
	bare      = said{200, "", "", `{"commit":"` + old + `"}`}
	starting  = said{503, "", "", `{"error":"This environment is starting.","environment":"smoke"}`}
	gone      = said{404, "", "", `{"error":"This environment was removed.","environment":"smoke"}`}
	broken    = said{502, "override", fresh, ""}
	unmarked  = said{404, "", "-", "No service has this path."}
	forbidden = said{403, "override", fresh, `{"error":"log in"}`}
)

type said struct {
	status               int
	source, commit, body string
}

func (s said) header() http.Header {
	h := http.Header{}
	set := func(name, value string) {
		if value != "" {
			h.Set("x-preview-"+name, value)
		}
	}
	set("source", s.source)
	set("commit", strings.TrimPrefix(s.commit, "-"))
	if s.commit != "-" {
		set("environment", "smoke")
	}
	return h
}

func TestAnAnswerIsRightOrWrongByThePhase(t *testing.T) {
	first := phase{name: "provision", commits: []string{fresh}, pages: true, early: true}
	ready := phase{name: "ready", commits: []string{fresh[:7]}}
	update := phase{name: "update", commits: []string{old, fresh}, rolling: true}
	removal := phase{name: "clean-up", commits: []string{fresh}, pages: true, leaving: true}
	end := phase{name: "gone", pages: true}
	failed := phase{name: "failed", any: true}
	cases := []struct {
		name  string
		said  said
		kind  Kind
		right []phase
	}{
		{"the new commit", ownFresh, Own, []phase{first, ready, update, removal}},
		{"a page without a commit in it", html, Own, []phase{first, ready, update, removal}},
		{"an own answer that refuses", forbidden, Own, []phase{first, ready, update, removal}},
		{"the old commit", ownOld, Own, []phase{update}},
		{"marked as new, and old", lied, Lied, []phase{update}},
		{"the baseline, marked as a fallback", shared, Baseline, nil},
		{"the baseline, not marked", bare, Baseline, nil},
		{"the starting page", starting, Page, []phase{first, removal, end}},
		{"the page of a host that is gone", gone, Page, []phase{first, removal, end}},
		{"an error of the service", broken, Broken, []phase{first}},
		{"the load balancer's fixed answer", unmarked, Unmarked, []phase{first, removal}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := Answer{Status: c.said.status}
			classify(&a, c.said.header(), []byte(c.said.body))
			if a.Kind != c.kind {
				t.Errorf("it is %s, want %s", a.Kind, c.kind)
			}
			var right []string
			for _, p := range []phase{first, ready, update, removal, end} {
				if p.judge(a) == "" {
					right = append(right, p.name)
				}
			}
			var want []string
			for _, p := range c.right {
				want = append(want, p.name)
			}
			if diff := cmp.Diff(want, right); diff != "" {
				t.Errorf("right in (-want +got) %s", diff)
			}
			if why := failed.judge(a); why != "" {
				t.Errorf("of a life that failed it is wrong: %s", why)
			}
		})
	}
}

func TestAWrongAnswerIsCountedOnce(t *testing.T) {
	answers := make(chan said, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s := <-answers
		for name, values := range s.header() {
			w.Header()[name] = values
		}
		w.WriteHeader(s.status)
		_, _ = w.Write([]byte(s.body))
	}))
	defer server.Close()
	a := newAsker(Options{URL: server.URL + "/{label}", Label: "smoke", Client: server.Client(), Services: map[string]string{"service1": "/"}})
	ask := func(s said) {
		answers <- s
		a.ask(t.Context(), "service1", "/")
	}
	ask(gone)
	a.enter(phase{name: "ready", commits: []string{fresh}})
	ask(ownFresh)
	ask(shared)
	ask(broken)
	a.enter(phase{name: "gone", pages: true})
	ask(gone)
	ask(ownFresh)
	r := &Report{Options: a.Options, Answers: a.answers, Receipt: "2 resources, each verified gone."}
	var why []string
	for _, w := range r.Wrong() {
		why = append(why, w.Phase+": "+w.Wrong)
	}
	want := []string{"ready: it is the baseline's, under the name of an override", "ready: it is an error", "gone: it is of another commit"}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
	var text bytes.Buffer
	r.Markdown(&text, nil)
	for _, part := range []string{"# Smoke: bad", "Answers: 6, wrong: 3", "| ready | service1 | 1 own, 1 baseline, 1 broken | 2 | 0 |"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the report lacks %q:\n%s", part, text.String())
		}
	}
}

func TestWhatAnEdgeDoesNotKnowYetIsLateAndNotWrong(t *testing.T) {
	change := time.Unix(1000, 0)
	p := phase{commits: []string{fresh}, earlier: []string{old}, until: change.Add(time.Minute)}
	cases := []struct {
		said  said
		after time.Duration
		late  bool
	}{
		{starting, 30 * time.Second, true}, {ownOld, 30 * time.Second, true}, {unmarked, 30 * time.Second, true},
		{starting, 61 * time.Second, false}, {ownOld, 61 * time.Second, false},
		{broken, 30 * time.Second, false}, {shared, 30 * time.Second, false}, {lied, 30 * time.Second, false},
	}
	for _, c := range cases {
		a := Answer{At: change.Add(c.after), Status: c.said.status}
		classify(&a, c.said.header(), []byte(c.said.body))
		if p.judge(a) == "" || p.late(a) != c.late {
			t.Errorf("%+v after %s: late is %v, want %v", c.said, c.after, p.late(a), c.late)
		}
	}
}

func TestAReportIsGoodOnlyWithAReceipt(t *testing.T) {
	cases := []struct {
		name   string
		report Report
		failed error
		want   string
	}{
		{"with one", Report{Receipt: "gone"}, nil, "# Smoke: good"},
		{"without", Report{}, nil, "# Smoke: bad"},
		{"of a life that was not played to its end", Report{Receipt: "gone"}, errors.New("not ready"), "**Not played to its end:** not ready"},
	}
	for _, c := range cases {
		var text bytes.Buffer
		c.report.Markdown(&text, c.failed)
		if !strings.Contains(text.String(), c.want) {
			t.Errorf("%s: the report lacks %q:\n%s", c.name, c.want, text.String())
		}
	}
}

func TestStatesAreThoseOfTheirService(t *testing.T) {
	at := func(seconds int) *time.Time { return aws.Time(time.Unix(int64(seconds), 0)) }
	enter := func(id, previous int64, seconds int, name, service string) types.HistoryEvent {
		return types.HistoryEvent{Id: id, PreviousEventId: previous, Timestamp: at(seconds), StateEnteredEventDetails: &types.StateEnteredEventDetails{
			Name: &name, Input: aws.String(fmt.Sprintf(`{"service":%q}`, service)),
		}}
	}
	leave := func(id, previous int64, seconds int, name string) types.HistoryEvent {
		return types.HistoryEvent{Id: id, PreviousEventId: previous, Timestamp: at(seconds), StateExitedEventDetails: &types.StateExitedEventDetails{Name: &name}}
	}
	// Two services side by side: the second leaves first.
	got := statesOf([]types.HistoryEvent{
		enter(1, 0, 1, "RunService", "service1"), enter(2, 0, 2, "RunService", "service2"),
		{Id: 3, PreviousEventId: 2, Timestamp: at(3)}, leave(4, 3, 4, "RunService"), leave(5, 1, 9, "RunService"),
	})
	want := []State{{"RunService", "service2", *at(2), *at(4)}, {"RunService", "service1", *at(1), *at(9)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
}

func TestTheTimesOfAPublicationAreMeasured(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	answer := func(seconds float64, kind Kind, commit string) Answer {
		return Answer{At: at(seconds), Service: "service1", Phase: "provision", Kind: kind, Commit: commit}
	}
	r := &Report{Options: Options{Services: map[string]string{"service1": "/"}}, Acts: []*Act{{
		Name: "provision", Commit: fresh[:7], Asked: at(0), Done: at(60),
		Tasks: []ecstypes.Task{{
			TaskDefinitionArn: aws.String("arn:aws:ecs:us-east-1:1:task-definition/pv-smoke-service1-1:3"),
			CreatedAt:         aws.Time(at(2)), PullStartedAt: aws.Time(at(8)), PullStoppedAt: aws.Time(at(12)), StartedAt: aws.Time(at(13)),
		}},
		States: []State{{"RunService", "service1", at(1), at(2)}, {"AwaitHealthy", "service1", at(2), at(20)}, {"PublishRoute", "", at(20), at(21)}},
	}}, Answers: []Answer{
		answer(10, Page, ""), answer(25, Page, ""), answer(30, Broken, ""), answer(33, Own, fresh), answer(40, Page, ""), answer(41, Own, fresh),
	}}
	r.measure()
	got := map[string]string{}
	for _, m := range r.Measures {
		got[m.What] = m.Took
		if strings.HasPrefix(m.What, "ECS") {
			got[m.What] += ": " + m.Note
		}
	}
	want := map[string]string{
		"asked for → done": "1m0s", "task of service1": "18s", "KeyValueStore → edge, service1": "9s",
		"KeyValueStore, stale until, service1": "19s", "rule → traffic, service1": "3s",
		"ECS starts pv-smoke-service1-1": "11s: placed and attached 6s, pulled 4s, started 1s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
}
