package slack_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

var update = flag.Bool("update", false, "rewrite the goldens")

var created = time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)

func ready() slack.View {
	return slack.View{
		Label: "pr1", URL: "https://pr1.preview.example.com", State: slack.Ready,
		Commit: "abcd1234ef567890abcd1234ef567890abcd1234", CommitURL: "https://github.com/acme/shop/commit/abcd1234ef56",
		PullRequest: 1, PullRequestURL: "https://github.com/acme/shop/pull/1", Owner: "U123",
		CreatedAt: created, ExpiresAt: created.Add(time.Hour), CostPerHour: 0.0213, Cost: 0.01,
		Services: []slack.ServiceLine{
			{Name: "service1", Source: slack.Override, State: "ready", Commit: "abcd1234ef567890", LogURL: "https://logs.example.com/1?a=1&b=2"},
			{Name: "service2", Source: slack.Shared},
		},
		Queues:       []string{"orders"},
		ExecutionURL: "https://console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:pr1-1-1",
	}
}

func failed() slack.View {
	v := ready()
	v.State, v.Queues = slack.Degraded, nil
	v.Services[0].State, v.Services[0].Detail = "build failed", "exit status 1 in <script>"
	v.Fault = &fault.Fault{
		Name: statemachine.ErrBuildFailed, Service: "service1", Step: "Build", What: "The build ended with exit status 1.",
		Next: "Look at the log, push a fix and give the command again.", Log: "https://logs.example.com/2",
		Tail: "\x1b[31mmain.go:3:1: expected <nil> && more\x1b[0m\n```\n<!channel> @here\n",
	}
	v.Notes = []string{"The last good revision still serves.", "service2 calls service1, and is shared: its calls leave the environment."}
	return v
}

func gone() slack.View {
	v := ready()
	v.State, v.Services, v.Queues, v.Receipt = slack.Gone, nil, nil, "7 resources, all verified gone."
	return v
}

// digest is a message as a reviewer reads it: a line a block, in order.
func digest(t *testing.T, text string, blocks []slack.Block) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "text    %s\n", text)
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range decode[[]map[string]any](t, raw) {
		for _, s := range said(block) {
			fmt.Fprintf(&b, "%-7s %s\n", block["type"], strings.ReplaceAll(s, "\n", "\n        "))
		}
	}
	return b.String()
}

func said(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, said(e)...)
		}
	case map[string]any:
		if v["type"] == "button" {
			confirm := ""
			if v["confirm"] != nil {
				confirm = ", asks first"
			}
			return []string{fmt.Sprintf("[%s] %s=%s%s", said(v["text"])[0], v["action_id"], v["value"], confirm)}
		}
		if s, ok := v["text"].(string); ok {
			return []string{s}
		}
		for _, key := range []string{"text", "fields", "elements"} {
			all = append(all, said(v[key])...)
		}
	}
	return all
}

func TestMessagesReadWell(t *testing.T) {
	var b strings.Builder
	for _, c := range []struct {
		name string
		view slack.View
	}{{"ready", ready()}, {"an update whose build failed", failed()}, {"gone", gone()}} {
		text, blocks := slack.Status(c.view)
		checkMessage(t, blocks, text)
		fmt.Fprintf(&b, "=== %s\n%s\n", c.name, digest(t, text, blocks))
	}
	text, blocks := slack.Warning(ready())
	checkMessage(t, blocks, text)
	fmt.Fprintf(&b, "=== warning\n%s\n", digest(t, text, blocks))
	for _, c := range []struct {
		name   string
		answer slack.Answer
	}{
		{"accepted", slack.Accepted(ready())},
		{"refused", slack.Refused(fault.List{
			fault.New(statemachine.ErrBadRequest, "There is no service %q.", "<servcie1>").WithNext("Did you mean service1?"),
			fault.New(statemachine.ErrBadRequest, "No commit & no pull request was named."),
		}, "/provisionenv abcd123 service1")},
		{"extended", slack.Extended("pr1", created.Add(3*time.Hour), 90*time.Minute)},
		{"removing", slack.Removing("pr1")},
		{"usage", slack.Usage(slack.UsageExtend)},
	} {
		fmt.Fprintf(&b, "=== %s\n%s\n\n", c.name, c.answer.Text)
	}
	golden(t, "messages.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "testdata", "slack", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update if this is meant: %s", diff)
	}
}

func TestTheSameViewGivesTheSameMessage(t *testing.T) {
	a, x := slack.Status(failed())
	b, y := slack.Status(failed())
	if a != b || cmp.Diff(x, y) != "" {
		t.Error("it differs")
	}
}

func TestButtonsAreThereOnlyWhileLive(t *testing.T) {
	for state, live := range map[string]bool{
		slack.Requested: true, slack.Building: true, slack.Provisioning: true, slack.Ready: true, slack.Degraded: true,
		slack.Failed: false, slack.CleaningUp: false, slack.Gone: false, slack.LeftBehind: false, slack.Superseded: false, "": false,
	} {
		v := ready()
		v.State = state
		_, blocks := slack.Status(v)
		if got := blocks[len(blocks)-1].BlockType() == "actions"; got != live {
			t.Errorf("state %q: buttons = %v", state, got)
		}
	}
}

func TestNoViewIsOverALimit(t *testing.T) {
	v := failed()
	v.Services = nil
	for i := range 30 {
		v.Services = append(v.Services, slack.ServiceLine{
			Name: fmt.Sprintf("service-with-a-long-name-%d", i), Source: slack.Override, State: "build failed", Commit: v.Commit,
			Detail: strings.Repeat("a & b < c ", 100), LogURL: "https://logs.example.com/" + strings.Repeat("x&", 200),
		})
	}
	v.Fault.Tail = strings.Repeat("2026-11-20 <error> something & something else went wrong 😀\n", 180) // 10 KB
	v.Fault.What, v.Fault.Next = strings.Repeat("&", 5000), strings.Repeat("<", 5000)
	for range 40 {
		v.Notes = append(v.Notes, strings.Repeat("note & ", 500))
	}
	v.Receipt = strings.Repeat("left > behind ", 1000)
	v.Queues = strings.Fields(strings.Repeat("queue ", 500))
	text, blocks := slack.Status(v)
	checkMessage(t, blocks, text)
	if all := digest(t, text, blocks); !strings.Contains(all, "went wrong 😀\n        ```") {
		t.Errorf("the last line of the log is not shown:\n%s", all)
	}
	v.Fault.Tail = strings.Repeat("&", 10_000) // one line
	v.URL, v.Label, v.Owner = "https://"+strings.Repeat("&", 5000), strings.Repeat("l", 500), strings.Repeat("o", 5000)
	text, blocks = slack.Status(v)
	checkMessage(t, blocks, text)
	for _, a := range []slack.Answer{slack.Accepted(v), slack.Refused(fault.List{v.Fault, v.Fault, v.Fault}, strings.Repeat("&", 5000)), slack.Removing(v.Label)} {
		checkMessage(t, nil, a.Text)
	}
	checkMessage(t, nil, slack.Refused(fault.List{v.Fault}, "").Text)
	text, blocks = slack.Status(slack.View{Label: "pr1", URL: "https://pr1.preview.example.com"})
	checkMessage(t, blocks, text)
}

func TestWhatComesFromOutsideMentionsNobody(t *testing.T) {
	v := failed()
	evil := "<!channel> <@U999> <https://evil.example|here>"
	v.Label, v.Owner, v.Notes, v.Receipt, v.Queues = evil, evil, []string{evil}, evil, []string{evil}
	v.Services[0] = slack.ServiceLine{Name: evil, State: evil, Detail: evil, Commit: evil, LogURL: "javascript:alert(1)"}
	v.CommitURL, v.Commit = "https://github.com/a>b|c", evil
	v.Fault = &fault.Fault{What: evil, Next: evil, Tail: evil, Log: "ftp://x", Service: evil, Step: evil}
	_, blocks := slack.Status(v)
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range decode[[]map[string]any](t, raw) {
		if block["type"] == "header" || block["type"] == "actions" {
			continue // plain text, which has no mentions
		}
		for _, s := range said(block) {
			if strings.Contains(s, "<!channel") || strings.Contains(s, "<@U999") || strings.Contains(s, "<https://evil") {
				t.Errorf("%s", s)
			}
		}
	}
}

func TestModal(t *testing.T) {
	many := make([]string, 250)
	for i := range many {
		many[i] = fmt.Sprintf("service%03d-%s", i, strings.Repeat("n", 60))
	}
	for name, form := range map[string]slack.Form{
		"a few services":        {Services: []string{"service1", "web"}, Queues: true, Default: "60m", Limits: "At most 24 h.", Channel: "C123"},
		"no queues":             {Services: []string{"service1"}, Channel: "C123"},
		"an empty catalog":      {Channel: "C123"},
		"250 services":          {Services: append(many, strings.Repeat("x", 90)), Queues: true},
		"what was given before": {Services: many, Queues: true, Initial: statemachine.Request{PullRequest: 3, TTLMinutes: 5, ServicesToProvision: many[200:201], ProvisionQueues: true, EnvironmentVariablesOverrides: []byte(`{"A":"b"}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(form.Modal())
			if err != nil {
				t.Fatal(err)
			}
			view := decode[map[string]any](t, raw)
			walk(t, "modal", "", view)
			if view["submit"] == nil || view["callback_id"] != slack.CallbackProvision {
				t.Errorf("%s", raw)
			}
			for _, s := range form.Services {
				if len(s) < 76 && !strings.Contains(string(raw), `"value":"`+s+`"`) {
					t.Errorf("%s cannot be chosen", s)
				}
			}
		})
	}
}
