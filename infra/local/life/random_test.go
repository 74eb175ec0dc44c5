package life

import (
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// lives are how many random lives make test plays; make lives N=… plays more.
const lives = 2

// steps of one life, on average.
const steps = 10

// bound makes few checks of a fixed seed the default, unless the command line says
// otherwise: a life takes half a minute.
func bound(t *testing.T) {
	t.Helper()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{
		"rapid.checks": strconv.Itoa(lives), "rapid.steps": strconv.Itoa(steps), "rapid.seed": "1",
		"rapid.shrinktime": "4m", "rapid.nofailfile": "true",
	} {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// actors are environments that people, time and mishaps act on in any order.
type actors struct {
	t        *testing.T
	labels   []string
	baseline []string             // inventory before
	promised map[string]time.Time // the last confirmed deadline, where nothing since then ends the environment
	forgot   string               // whose record was deleted: those of two are a lost table, at which a sweep holds still
}

func TestRandomLivesKeepTheInvariants(t *testing.T) {
	bound(t)
	rapid.Check(t, func(r *rapid.T) {
		a := &actors{t: t, baseline: inventory(t), promised: map[string]time.Time{}}
		for i := range 3 {
			a.labels = append(a.labels, fmt.Sprintf("r%d-%d", time.Now().UnixNano()%1_000_000, i))
		}
		defer a.end()
		pick := func(r *rapid.T) string { return rapid.SampledFrom(a.labels).Draw(r, "label") }
		r.Repeat(map[string]func(*rapid.T){
			"provision": func(r *rapid.T) {
				a.provision(pick(r), rapid.SampledFrom([]string{"pr1", "pr2"}).Draw(r, "commit"), rapid.Bool().Draw(r, "queues"))
			},
			"update": func(r *rapid.T) {
				a.provision(pick(r), rapid.SampledFrom([]string{"pr1", "pr2"}).Draw(r, "commit"), false)
			},
			"extend":         func(r *rapid.T) { a.extend(pick(r)) },
			"clean up":       func(r *rapid.T) { a.cleanUp(pick(r)) },
			"expire":         func(r *rapid.T) { a.mishap(pick(r), expire) },
			"stop execution": func(r *rapid.T) { a.mishap(pick(r), tryStop) },
			"delete record": func(r *rapid.T) {
				if label := pick(r); a.forgot == "" || a.forgot == label {
					a.forgot = label
					a.mishap(label, func(t *testing.T, label string) { forget(t, label, "ENVIRONMENT") })
				}
			},
			"sweep": func(*rapid.T) { sweep(t, `{}`) },
			"wait": func(r *rapid.T) {
				time.Sleep(time.Duration(rapid.IntRange(100, 4000).Draw(r, "milliseconds")) * time.Millisecond)
			},
			"": func(r *rapid.T) { a.check(r) },
		})
		a.settle(r)
		a.sound(r)
	})
}

func (a *actors) provision(label, commit string, queues bool) {
	text := world.Repository.Commits[commit] + " service1 --as " + label
	if queues {
		text += " --queues"
	}
	a.typed("/provisionenv", text, label)
}

// typed types a command as somebody who has no other environment.
func (a *actors) typed(command, text, label string) string {
	somebody := "U0" + strings.ToUpper(strings.ReplaceAll(label, "-", ""))
	answer, err := typed(a.t, somebody, command, text)
	if err != nil {
		a.t.Fatalf("%s %s: %v", command, text, err)
	}
	a.t.Logf("%s %s: %s", command, text, answer.Text)
	return answer.Text
}

func (a *actors) extend(label string) {
	if strings.Contains(a.typed("/extendenv", label+" 30", label), "lives 30 minutes longer") {
		a.promised[label] = deadline(a.t, label)
	}
}

func (a *actors) cleanUp(label string) {
	a.typed("/cleanupenv", label, label)
	delete(a.promised, label)
}

// mishap is something after which no promise holds.
func (a *actors) mishap(label string, happens func(*testing.T, string)) {
	if stateOf(a.t, label) == "" {
		return
	}
	delete(a.promised, label)
	happens(a.t, label)
	a.t.Logf("a mishap to %s", label)
}

// tryStop stops the execution of an environment, if it has one that runs.
func tryStop(t *testing.T, label string) {
	if _, ok := item(t, label, "ENVIRONMENT")["execution"].(*types.AttributeValueMemberS); ok && strings.HasPrefix(text(t, label, "execution"), "arn:") {
		stopExecution(t, label)
	}
}

func text(t *testing.T, label, attribute string) string {
	t.Helper()
	switch v := item(t, label, "ENVIRONMENT")[attribute].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

func deadline(t *testing.T, label string) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(text(t, label, "expiresAt"), 10, 64)
	if err != nil {
		t.Fatalf("read the deadline of %s: %v", label, err)
	}
	return time.Unix(seconds, 0)
}

// check holds at every moment, whatever runs.
func (a *actors) check(r *rapid.T) {
	numbers := priorities(a.t)
	slices.Sort(numbers)
	if len(slices.Compact(slices.Clone(numbers))) != len(numbers) {
		r.Fatalf("two rules share a priority: %v", numbers)
	}
	there := inventory(a.t)
	for _, kept := range a.baseline {
		if !slices.Contains(there, kept) {
			r.Fatalf("the baseline lacks %s", kept)
		}
	}
	for _, label := range a.labels {
		a.readyAnswers(r, label)
		a.goneIsGone(r, label)
		if until, ok := a.promised[label]; ok && time.Now().Before(until) {
			if state := stateOf(a.t, label); slices.Contains([]string{"CleaningUp", "Gone", "LeftBehind"}, state) {
				r.Fatalf("%s is %s, and was promised until %s", label, state, until)
			}
		}
	}
}

// during asks something of an environment, and is not ok if it changed meanwhile.
func (a *actors) during(label, state string, ask func()) (ok bool) {
	revision := text(a.t, label, "revision")
	if stateOf(a.t, label) != state {
		return false
	}
	ask()
	return stateOf(a.t, label) == state && text(a.t, label, "revision") == revision
}

func (a *actors) readyAnswers(r *rapid.T, label string) {
	var p page
	commit := text(a.t, label, "commit")
	if a.during(label, "Ready", func() { p = get(a.t, world.URL(label)+"/service1") }) &&
		(p.Status != http.StatusOK || p.Header.Get("x-preview-source") != "override" || p.Header.Get("x-preview-commit") != commit) {
		r.Fatalf("%s is Ready at %s, and answers %d %v %s", label, commit, p.Status, p.Header, p.Body)
	}
}

func (a *actors) goneIsGone(r *rapid.T, label string) {
	var left []string
	if a.during(label, "Gone", func() { left = a.of(label) }) && len(left) > 0 {
		r.Fatalf("%s is Gone, and there is %v", label, left)
	}
}

// of is what the AWS endpoint lists of an environment by its name.
func (a *actors) of(label string) []string {
	return slices.DeleteFunc(inventory(a.t), func(line string) bool {
		return !strings.Contains(line, label+"-") && !strings.Contains(line, label+"/")
	})
}

// settle waits until nothing runs, sweeps once, and waits for what that began.
func (a *actors) settle(r *rapid.T) {
	a.quiet(r)
	time.Sleep(6 * time.Second) // the grace of the reaper
	sweep(a.t, `{}`)
	a.quiet(r)
}

// quiet waits until no environment changes any more.
func (a *actors) quiet(r *rapid.T) {
	before, since := "", time.Now()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(500 * time.Millisecond) {
		now := strings.Join(inventory(a.t), "\n")
		for _, label := range a.labels {
			now += label + stateOf(a.t, label) + text(a.t, label, "revision")
		}
		if now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) > 5*time.Second {
			return
		}
	}
	r.Fatalf("nothing came to rest within %s", patience)
}

// sound is what holds once everything is quiet and one sweep has run.
func (a *actors) sound(r *rapid.T) {
	a.check(r)
	expected := slices.Clone(a.baseline)
	for _, label := range a.labels {
		switch state := stateOf(a.t, label); state {
		case "Ready", "Degraded":
			expected = append(expected, a.of(label)...)
		case "", "Gone", "Failed":
		default:
			r.Fatalf("%s is still %s after a sweep", label, state)
		}
	}
	var got []string
	for _, line := range inventory(a.t) {
		if !strings.HasPrefix(line, "rule ") { // a rule bears no name
			got = append(got, line)
		}
	}
	expected = slices.DeleteFunc(expected, func(line string) bool { return strings.HasPrefix(line, "rule ") })
	slices.Sort(expected)
	if diff := cmp.Diff(expected, got); diff != "" {
		r.Fatalf("after a sweep there is more or less than what lives (-want +got):\n%s", diff)
	}
}

// end removes what lives; then nothing is left, rules included.
func (a *actors) end() {
	for _, label := range a.labels {
		if state := stateOf(a.t, label); state != "" && state != "Gone" && state != "Failed" {
			a.typed("/cleanupenv", label, label)
		}
	}
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(500 * time.Millisecond) {
		if cmp.Equal(a.baseline, inventory(a.t)) {
			return
		}
		if time.Since(begin) > 20*time.Second {
			sweep(a.t, `{}`)
		}
	}
	a.t.Errorf("the end of a life left something (-before +after):\n%s", cmp.Diff(a.baseline, inventory(a.t)))
}
