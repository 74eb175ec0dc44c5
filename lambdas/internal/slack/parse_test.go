package slack_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

func TestParseProvision(t *testing.T) {
	s12 := []string{"service1", "service2"}
	for name, c := range map[string]struct {
		text string
		want statemachine.Request
		repo string
	}{
		"all of it": {`abcd123 service1 service2 --ttl 2h --queues --env service1.LOG_LEVEL=debug --env KEY=value --as login`,
			statemachine.Request{CommitID: "abcd123", ServicesToProvision: s12, ProvisionQueues: true, Environment: "login", TTLMinutes: 120,
				EnvironmentVariablesOverrides: []byte(`{"KEY":"value","service1":{"LOG_LEVEL":"debug"}}`)}, ""},
		"services between commas": {"ABCD1234 service1,service2,",
			statemachine.Request{CommitID: "abcd1234", ServicesToProvision: s12}, ""},
		"a pull request's URL, as Slack links it": {"<https://github.com/acme/shop/pull/17/files?w=1|pull/17> service1,service2",
			statemachine.Request{PullRequest: 17, ServicesToProvision: s12}, "acme/shop"},
		"a pull request's number and a commit": {"#17 abcdef0123 service1 service2",
			statemachine.Request{PullRequest: 17, CommitID: "abcdef0123", ServicesToProvision: s12}, ""},
		"a commit's URL": {"https://github.com/acme/shop/commit/abcdef0123 service1,service2",
			statemachine.Request{CommitID: "abcdef0123", ServicesToProvision: s12}, "acme/shop"},
		"queues alone": {"#1 --queues", statemachine.Request{PullRequest: 1, ProvisionQueues: true}, ""},
		"dashes and quotes of a Mac": {"abcd123 service1 service2 —ttl=90m —env KEY=“a b” --env 'OTHER=it’s'",
			statemachine.Request{CommitID: "abcd123", ServicesToProvision: s12, TTLMinutes: 90,
				EnvironmentVariablesOverrides: []byte(`{"KEY":"a b","OTHER":"it’s"}`)}, ""},
		"an apostrophe is no quotation mark": {"abcd123 service1 service2 --env KEY=it's",
			statemachine.Request{CommitID: "abcd123", ServicesToProvision: s12, EnvironmentVariablesOverrides: []byte(`{"KEY":"it's"}`)}, ""},
		"what Slack escapes is undone": {"abcd123 service1 service2 --env URL=http://a/?b=1&amp;c=2",
			statemachine.Request{CommitID: "abcd123", ServicesToProvision: s12, EnvironmentVariablesOverrides: []byte(`{"URL":"http://a/?b=1&c=2"}`)}, ""},
		"seconds are rounded up to minutes": {"abcd123 service1 service2 --ttl 61s",
			statemachine.Request{CommitID: "abcd123", ServicesToProvision: s12, TTLMinutes: 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := slack.ParseProvision(c.text)
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			if diff := cmp.Diff(c.want, got.Request); diff != "" {
				t.Error(diff)
			}
			if got.Repository != c.repo || got.TTL != time.Duration(c.want.TTLMinutes)*time.Minute || got.Empty || got.Corrected != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestNothingTypedIsNoFault(t *testing.T) {
	p, f1 := slack.ParseProvision("  ")
	e, f2 := slack.ParseExtend("")
	c, f3 := slack.ParseCleanUp("\t")
	if !p.Empty || !e.Empty || !c.Empty || len(f1)+len(f2)+len(f3) > 0 {
		t.Errorf("%v %v %v", p, e, c)
	}
}

func TestParseProvisionRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text      string
		fields    []string // of the faults
		says      string   // part of them
		corrected string
	}{
		"a flag with a letter wrong, and guesses it": {"abcd123 service1 --tll 2h", []string{""}, "Did you mean --ttl?", "/provisionenv abcd123 service1 --ttl 2h"},
		"a flag that nobody knows":                   {"abcd123 service1 --frobnicate", []string{""}, "There are --ttl", ""},
		"a number for a pull request":                {"17 service1 --env A='b c'", []string{slack.FieldCommit}, "Write #17", `/provisionenv #17 service1 --env A="b c"`},
		"a commit of too few digits":                 {"abcd12 service1", []string{slack.FieldCommit}, "too short", ""},
		"no commit":                                  {"service1", []string{slack.FieldCommit}, "No commit", ""},
		"no service":                                 {"abcd123", []string{slack.FieldServices}, "No service", ""},
		"a lifetime of nothing":                      {"abcd123 service1 --ttl 0", []string{slack.FieldTTL}, "no time at all", ""},
		"a negative lifetime":                        {"abcd123 service1 --ttl -5", []string{slack.FieldTTL}, "negative", ""},
		"a lifetime in words, and guesses it":        {"abcd123 service1 --ttl 2hours", []string{slack.FieldTTL}, "`2h`", "/provisionenv abcd123 service1 --ttl 2h"},
		"a lifetime without its last unit":           {"abcd123 service1 --ttl=1h30", []string{slack.FieldTTL}, "no time", "/provisionenv abcd123 service1 --ttl=1h30m"},
		"a lifetime beyond all bounds":               {"abcd123 service1 --ttl 999999999d", []string{slack.FieldTTL}, "more than a year", ""},
		"a flag without its value":                   {"abcd123 service1 --ttl --queues", []string{slack.FieldTTL}, "lacks its value", ""},
		"a label that DNS has not":                   {"abcd123 service1 --as Feature/Login", []string{slack.FieldEnvironment}, "label", "/provisionenv abcd123 service1 --as feature-login"},
		"a variable without a value":                 {"abcd123 service1 --env hunter2", []string{slack.FieldOverrides}, "KEY=value", ""},
		"a variable for a service not named":         {"abcd123 service1 --env srvice1.A=b", []string{slack.FieldOverrides}, "Did you mean service1?", ""},
		"two values of one variable":                 {"abcd123 service1 --env A=b --env A=c", []string{slack.FieldOverrides}, "two values", ""},
		"a control character in a name":              {"abcd123 serv\x00ice1", []string{slack.FieldServices}, "cannot be the name", ""},
		"two pull requests":                          {"#1 #2 service1", []string{slack.FieldPullRequest}, "Two pull requests", ""},
		"an open quotation mark":                     {`abcd123 service1 --env A="b`, []string{""}, "not closed", ""},
		"everything at once": {"service1 --ttl soon --env x --as _ --nope",
			[]string{slack.FieldTTL, slack.FieldOverrides, slack.FieldEnvironment, "", slack.FieldCommit}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults := slack.ParseProvision(c.text)
			var fields []string
			for _, f := range faults {
				fields = append(fields, f.Field)
				if f.Name != statemachine.ErrBadRequest || f.Next == "" {
					t.Errorf("the fault %+v has another name, or nothing to do next", f)
				}
			}
			if diff := cmp.Diff(c.fields, fields); diff != "" {
				t.Error(diff, faults)
			}
			if !strings.Contains(faults.Error(), c.says) {
				t.Errorf("%q does not say %q", faults.Error(), c.says)
			}
			if got.Corrected != c.corrected {
				t.Errorf("corrected = %q, want %q", got.Corrected, c.corrected)
			}
			if strings.Contains(faults.Error(), "hunter2") {
				t.Error("a fault holds a value that may be a secret")
			}
		})
	}
}

func TestParseExtend(t *testing.T) {
	for text, want := range map[string]slack.Extend{
		"pr1 120":                                {Target: slack.Target{Label: "pr1"}, By: 2 * time.Hour},
		"#1 2h":                                  {Target: slack.Target{PullRequest: 1}, By: 2 * time.Hour},
		"ABCD123 90m":                            {Target: slack.Target{Commit: "abcd123"}, By: 90 * time.Minute},
		"abcd123 90m":                            {Target: slack.Target{Label: "abcd123", Commit: "abcd123"}, By: 90 * time.Minute},
		"pr1 1h30m":                              {Target: slack.Target{Label: "pr1"}, By: 90 * time.Minute},
		"pr1 1.5h":                               {Target: slack.Target{Label: "pr1"}, By: 90 * time.Minute},
		"pr1 1d":                                 {Target: slack.Target{Label: "pr1"}, By: 24 * time.Hour},
		"pr1 00000030":                           {Target: slack.Target{Label: "pr1"}, By: 30 * time.Minute},
		"https://github.com/acme/shop/pull/1 10": {Target: slack.Target{PullRequest: 1, Repository: "acme/shop"}, By: 10 * time.Minute},
	} {
		got, faults := slack.ParseExtend(text)
		if diff := cmp.Diff(want, got); diff != "" || len(faults) > 0 {
			t.Errorf("%s: %v %s", text, faults, diff)
		}
	}
	for text, corrected := range map[string]string{
		"pr1":                                "",
		"pr1 soon":                           "",
		"pr1 -5":                             "",
		"pr1 0":                              "",
		"pr1 2 hours":                        "/extendenv pr1 2h",
		"PR1 30":                             "/extendenv pr1 30",
		"https://pr1.preview.example.com/ 5": "/extendenv pr1 5",
	} {
		got, faults := slack.ParseExtend(text)
		if len(faults) != 1 || got.Corrected != corrected {
			t.Errorf("%s: %v, corrected %q, want %q", text, faults, got.Corrected, corrected)
		}
	}
}

func TestParseCleanUp(t *testing.T) {
	got, faults := slack.ParseCleanUp("#7")
	if diff := cmp.Diff(slack.CleanUp{Target: slack.Target{PullRequest: 7}}, got); diff != "" || len(faults) > 0 {
		t.Error(faults, diff)
	}
	if _, faults := slack.ParseCleanUp("pr1 pr2"); len(faults) != 1 {
		t.Errorf("two environments: %v", faults)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"service1", "service2", "web", "orders"}
	for name, want := range map[string]string{
		"servcie1": "service1", "Service2": "service2", "wbe": "web", "order": "orders", "ordesr": "orders",
		"payments": "", "api": "", "": "", strings.Repeat("x", 1000): "",
	} {
		if got := slack.Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCorrect(t *testing.T) {
	got := slack.Correct("/provisionenv", `abcd123 servcie1,web  --env A="b c"`, map[string]string{"servcie1": "service1"})
	if want := `/provisionenv abcd123 service1,web --env A="b c"`; got != want {
		t.Errorf("Correct = %q, want %q", got, want)
	}
	if got := slack.Correct("/provisionenv", "abcd123", map[string]string{"x": "y"}); got != "" {
		t.Errorf("Correct of nothing = %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", slack.UsageProvision, slack.UsageExtend, "#1 a,b —ttl “2h", "<https://github.com/a/b/pull/1|x>",
		"abcd123 --env a.b=\x1b[31m", "17 x --tll=9", "\"", "--", "pr1 99999999999h", "pr1 2 hours \xff", "-- -- --ttl"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, faults := slack.ParseProvision(text)
		names := append([]string{p.Request.CommitID, p.Request.Environment, p.Repository}, p.Request.ServicesToProvision...)
		if len(faults) == 0 && !p.Empty && p.Request.CommitID == "" && p.Request.PullRequest == 0 {
			t.Errorf("%q asks for nothing", text)
		}
		e, extend := slack.ParseExtend(text)
		if len(extend) == 0 && !e.Empty && e.By <= 0 {
			t.Errorf("%q extends by %s", text, e.By)
		}
		c, remove := slack.ParseCleanUp(text)
		names = append(names, e.Label, e.Commit, e.Repository, c.Label, c.Commit, c.Repository)
		for _, n := range names {
			if strings.ContainsFunc(n, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) || unicode.IsSpace(r) }) {
				t.Errorf("%q gives the name %q", text, n)
			}
		}
		for _, l := range []fault.List{faults, extend, remove} {
			if len(l) > 0 {
				checkMessage(t, nil, slack.Refused(l, p.Corrected).Text)
			}
		}
	})
}
