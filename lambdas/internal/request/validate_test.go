package request

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

const (
	head  = "abcd1234ef567890abcd1234ef567890abcd1234"
	older = "1111111111111111111111111111111111111111"
)

// repositories is a GitHub of two repositories. It counts what it is asked, and
// fails everything when err is set.
type repositories struct {
	commits map[string][]string // repository → commits
	pulls   map[string]int      // commit → open pull request
	asked   int
	err     error
}

func (g *repositories) Commit(_ context.Context, repo, ref string) (string, error) {
	g.asked++
	if g.err != nil {
		return "", g.err
	}
	for _, sha := range g.commits[repo] {
		if strings.HasPrefix(sha, ref) {
			return sha, nil
		}
	}
	return "", fault.New(statemachine.ErrBadRequest, "There is no commit %s in %s.", ref, repo).In(FieldCommit).WithNext("Push it.")
}

func (g *repositories) PullRequest(_ context.Context, _, sha string) (int, error) {
	g.asked++
	return g.pulls[sha], g.err
}

func (g *repositories) Head(_ context.Context, repo string, number int) (string, error) {
	g.asked++
	for sha, pr := range g.pulls {
		if pr == number {
			return sha, g.err
		}
	}
	return "", fault.New(statemachine.ErrBadRequest, "There is no pull request %d in %s.", number, repo).In(FieldPullRequest).WithNext("Look.")
}

func validator() (Validator, *repositories) {
	github := &repositories{
		commits: map[string][]string{"acme/shop": {head, older}, "acme/docs": {"2222222222222222222222222222222222222222"}},
		pulls:   map[string]int{head: 7},
	}
	return Validator{
		Prefix: "pv",
		Settings: &catalog.Settings{
			BaseDomain: "preview.example.com", Label: "pr{{pullRequest}}",
			Baseline: catalog.Baseline{Host: "pr99.preview.example.com"},
			Lifetime: catalog.Lifetime{Default: catalog.Duration(time.Hour), Max: catalog.Duration(24 * time.Hour)},
			Repositories: map[string]catalog.Repository{
				"shop": {GitHub: "acme/shop"}, "docs": {GitHub: "acme/docs"},
			},
			Services: []catalog.Entry{
				{Name: "handbook", Repository: "docs"},
				{Name: "service1", Repository: "shop"},
				{Name: "service2", Repository: "shop"},
				{Name: "web", Repository: "shop", Frontend: true},
			},
		},
		Services: func(_ context.Context, names ...string) (map[string]catalog.Service, error) {
			found := maps.Clone(backends)
			maps.DeleteFunc(found, func(name string, _ catalog.Service) bool { return !strings.Contains(strings.Join(names, " "), name) })
			return found, nil
		},
		GitHub: github,
	}, github
}

func request(change func(*statemachine.Request)) statemachine.Request {
	r := statemachine.Request{CommitID: "abcd123", ServicesToProvision: []string{"service1"}}
	if change != nil {
		change(&r)
	}
	return r
}

func TestValidateSaysWhatIsWanted(t *testing.T) {
	base := Wanted{Label: "pr7", PullRequest: 7, Repository: "acme/shop", Commit: head, Services: []string{"service1"}, Lifetime: time.Hour}
	tests := []struct {
		rule   string
		ask    func(*statemachine.Request)
		expect func(*Wanted)
	}{
		{"an abbreviated commit is looked up, with its pull request", nil, func(*Wanted) {}},
		{"capitals are the same commit", func(r *statemachine.Request) { r.CommitID = "ABCD1234" }, func(*Wanted) {}},
		{"services are sorted", func(r *statemachine.Request) { r.ServicesToProvision = []string{"web", "service2"} },
			func(w *Wanted) { w.Services = []string{"service2", "web"} }},
		{"a pull request has a head", func(r *statemachine.Request) { r.CommitID, r.PullRequest = "", 7 }, func(*Wanted) {}},
		{"the pull request that is named names the environment", func(r *statemachine.Request) { r.PullRequest = 8 },
			func(w *Wanted) { w.Label, w.PullRequest = "pr8", 8 }},
		{"a name of one's own comes first", func(r *statemachine.Request) { r.Environment, r.PullRequest = "demo", 8 },
			func(w *Wanted) { w.Label, w.PullRequest = "demo", 8 }},
		{"a commit without a pull request names itself", func(r *statemachine.Request) { r.CommitID = "1111111" },
			func(w *Wanted) { w.Label, w.PullRequest, w.Commit = "c-1111111", 0, older }},
		{"queues are provisioned when asked for", func(r *statemachine.Request) { r.ProvisionQueues = true }, func(w *Wanted) { w.Queues = true }},
		{"a lifetime is in minutes", func(r *statemachine.Request) { r.TTLMinutes = 1440 }, func(w *Wanted) { w.Lifetime = 24 * time.Hour }},
		{"overrides are read for the backends", func(r *statemachine.Request) {
			r.ServicesToProvision = []string{"service2", "web"}
			r.EnvironmentVariablesOverrides = []byte(`{"A":"b"}`)
		}, func(w *Wanted) {
			w.Services, w.Overrides = []string{"service2", "web"}, Overrides{"service2": {"A": {Text: "b"}}}
		}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			v, _ := validator()
			want := base
			test.expect(&want)
			got, err := v.Validate(t.Context(), request(test.ask))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidateRefusesInWords(t *testing.T) {
	many := make([]string, mostServices+1)
	for i := range many {
		many[i] = "service1"
	}
	tests := []struct {
		rule, field string
		ask         func(*statemachine.Request)
		want        []string
		asked       int // look-ups at GitHub
	}{
		{"a service is selected", FieldServices, func(r *statemachine.Request) { r.ServicesToProvision = nil },
			[]string{"No service is selected. Select at least one of handbook, service1, service2, web."}, 0},
		{"an unknown service is named with the valid ones and the nearest", FieldServices,
			func(r *statemachine.Request) { r.ServicesToProvision = []string{"servic1"} },
			[]string{`There is no service "servic1". Did you mean service1? Services are handbook, service1, service2, web.`}, 0},
		{"a service is selected once", FieldServices,
			func(r *statemachine.Request) { r.ServicesToProvision = []string{"web", "web", "web"} }, []string{`"web" is selected twice`}, 2},
		{"an environment has at most 50 services", FieldServices, func(r *statemachine.Request) { r.ServicesToProvision = many },
			[]string{"51 services are selected; an environment has at most 50", "selected twice"}, 2},
		{"one commit is of one repository", FieldServices,
			func(r *statemachine.Request) { r.ServicesToProvision = []string{"service1", "handbook", "web"} },
			[]string{"several repositories: acme/docs (handbook), acme/shop (service1, web)"}, 0},
		{"a commit is named", FieldCommit, func(r *statemachine.Request) { r.CommitID = "" }, []string{"No commit is named"}, 0},
		{"a commit is hexadecimal", FieldCommit, func(r *statemachine.Request) { r.CommitID = "main" }, []string{`"main" is no commit`}, 0},
		{"six digits are too few", FieldCommit, func(r *statemachine.Request) { r.CommitID = "abcdef" }, []string{"7 to 40"}, 0},
		{"41 are too many", FieldCommit, func(r *statemachine.Request) { r.CommitID = head + "a" }, []string{"7 to 40"}, 0},
		{"a secret in the wrong field is not repeated", FieldCommit, func(r *statemachine.Request) { r.CommitID = "ghp_abcdefghijkl" }, []string{"(a secret) is no commit"}, 0},
		{"a commit of another repository is said to be none of this one", FieldCommit,
			func(r *statemachine.Request) { r.CommitID = "2222222" }, []string{"no commit 2222222 in acme/shop"}, 1},
		{"a pull request exists", FieldPullRequest, func(r *statemachine.Request) { r.CommitID, r.PullRequest = "", 12 },
			[]string{"no pull request 12 in acme/shop"}, 1},
		{"a pull request has a positive number", FieldPullRequest, func(r *statemachine.Request) { r.PullRequest = -1 }, []string{"-1 is no pull request"}, 1},
		{"a lifetime is not negative", FieldTTL, func(r *statemachine.Request) { r.TTLMinutes = -5 }, []string{"-5 minutes is negative. Ask for at least 1"}, 2},
		{"a lifetime has a limit, and the nearest is offered", FieldTTL, func(r *statemachine.Request) { r.TTLMinutes = 1441 },
			[]string{"at most 24h. Ask for 1440 minutes"}, 2},
		{"a lifetime never overflows", FieldTTL, func(r *statemachine.Request) { r.TTLMinutes = 1 << 62 }, []string{"at most 24h"}, 2},
		{"a name is a DNS label", FieldEnvironment, func(r *statemachine.Request) { r.Environment = "Feature/X" }, []string{`"Feature/X" is no name`}, 2},
		{"a name has at most 40 characters", FieldEnvironment, func(r *statemachine.Request) { r.Environment = strings.Repeat("a", 41) }, []string{"up to 40"}, 2},
		{"a name has no two hyphens in a row", FieldEnvironment, func(r *statemachine.Request) { r.Environment = "x--y" }, []string{"single inner hyphens"}, 2},
		{"a name is not that of another alphabet", FieldEnvironment, func(r *statemachine.Request) { r.Environment = "xn--p1ai" }, []string{"single inner hyphens"}, 2},
		{"an owner fits a tag", FieldRequestedBy, func(r *statemachine.Request) { r.RequestedBy = "<jo> & 🙂" }, []string{"it becomes a tag. Letters, digits"}, 2},
		{"an owner is not too long for a tag", FieldRequestedBy, func(r *statemachine.Request) { r.RequestedBy = strings.Repeat("ü", 257) }, []string{"257 characters; at most 256"}, 2},
		{"the default frontend's name is taken", FieldEnvironment, func(r *statemachine.Request) { r.Environment = "default" }, []string{`"default" is taken`}, 2},
		{"the baseline's name is taken, even from a template", FieldEnvironment, func(r *statemachine.Request) { r.PullRequest = 99 }, []string{`"pr99" is taken`}, 1},
		{"the platform's own secrets are nobody else's", FieldOverrides, func(r *statemachine.Request) {
			r.EnvironmentVariablesOverrides = []byte(`{"A":{"secret":"pv/slack-token"}}`)
		}, []string{"The secret of A is the platform's own. Name a secret of your service."}, 2},
		{"nor are they by their ARN", FieldOverrides, func(r *statemachine.Request) {
			r.EnvironmentVariablesOverrides = []byte(`{"A":{"secret":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:pv/github-token-AbCdEf:key::"}}`)
		}, []string{"The secret of A is the platform's own."}, 2},
		{"overrides need a backend", FieldOverrides, func(r *statemachine.Request) {
			r.ServicesToProvision, r.EnvironmentVariablesOverrides = []string{"web"}, []byte(`{"A":"b"}`)
		}, []string{"none is selected"}, 2},
		{"everything is said at once", "", func(r *statemachine.Request) {
			*r = statemachine.Request{CommitID: "zzz", ServicesToProvision: []string{"nope", "service1"}, TTLMinutes: -1,
				Environment: "www", EnvironmentVariablesOverrides: []byte(`{"PORT":"1"}`)}
		}, []string{"no service", "negative", "no commit", "PORT", "taken"}, 0},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			v, github := validator()
			_, err := v.Validate(t.Context(), request(test.ask))
			var faults fault.List
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want a fault.List", err)
			}
			expectFaults(t, faults, test.field, test.want)
			if github.asked != test.asked {
				t.Errorf("GitHub was asked %d times, want %d", github.asked, test.asked)
			}
		})
	}
}

func TestALookUpThatFailsIsNoFaultOfTheRequest(t *testing.T) {
	away := fault.New(statemachine.ErrUnavailable, "GitHub does not answer.")
	v, github := validator()
	github.err = away
	if _, err := v.Validate(t.Context(), request(nil)); !fault.Is(err, statemachine.ErrUnavailable) {
		t.Errorf("got %v, want the error of the look-up", err)
	}
	_, err := v.Validate(t.Context(), request(func(r *statemachine.Request) { r.TTLMinutes = -1 }))
	if !fault.Is(err, statemachine.ErrBadRequest) {
		t.Errorf("got %v, want what the person can mend", err)
	}
	v, _ = validator()
	broken := errors.New("read catalog: away")
	v.Services = func(context.Context, ...string) (map[string]catalog.Service, error) { return nil, broken }
	_, err = v.Validate(t.Context(), request(func(r *statemachine.Request) { r.EnvironmentVariablesOverrides = []byte(`{"A":"b"}`) }))
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the catalog", err)
	}
}

func TestLifetimesOfSecondsHaveNoMinutesToOffer(t *testing.T) {
	v, _ := validator()
	v.Settings.Lifetime = catalog.Lifetime{Default: catalog.Duration(20 * time.Second), Max: catalog.Duration(40 * time.Second)}
	_, err := v.Validate(t.Context(), request(func(r *statemachine.Request) { r.TTLMinutes = 1 }))
	if err == nil || !strings.Contains(err.Error(), "at most 40s. Leave it out for 20s.") {
		t.Errorf("got %v", err)
	}
}

func TestDigestIsOfWhatIsBuiltAndRun(t *testing.T) {
	base := Wanted{Label: "pr7", Repository: "acme/shop", Commit: head, Services: []string{"service1"}, Overrides: Overrides{"service1": {"A": {Text: "b"}, "C": {Text: "d"}}}}
	same := map[string]func(*Wanted){
		"the name":         func(w *Wanted) { w.Label = "demo" },
		"the lifetime":     func(w *Wanted) { w.Lifetime = time.Minute },
		"the pull request": func(w *Wanted) { w.PullRequest = 9 },
	}
	other := map[string]func(*Wanted){
		"the commit":     func(w *Wanted) { w.Commit = older },
		"the repository": func(w *Wanted) { w.Repository = "acme/docs" },
		"the services":   func(w *Wanted) { w.Services = []string{"service2"} },
		"the queues":     func(w *Wanted) { w.Queues = true },
		"an override":    func(w *Wanted) { w.Overrides = Overrides{"service1": {"A": {Secret: "b"}, "C": {Text: "d"}}} },
		"no override":    func(w *Wanted) { w.Overrides = nil },
	}
	for what, change := range same {
		w := base
		if change(&w); w.Digest() != base.Digest() {
			t.Errorf("%s changes the digest", what)
		}
	}
	for what, change := range other {
		w := base
		if change(&w); w.Digest() == base.Digest() {
			t.Errorf("%s does not change the digest", what)
		}
	}
	none, empty := base, base
	none.Overrides, empty.Overrides = nil, Overrides{}
	if none.Digest() != empty.Digest() {
		t.Error("no overrides and an empty map of them differ")
	}
}
