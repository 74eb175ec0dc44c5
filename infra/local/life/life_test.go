package life

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/git"
	"previewenv/infra/local/slack"
	"previewenv/statemachine"
)

func TestAWholeLifeLeavesNothingBehind(t *testing.T) {
	before := inventory(t)
	commit := world.Repository.Commits["pr1"]
	provision(t, "pr1", commit[:8]+" service1 web")

	own := get(t, world.URL("pr1")+"/service1")
	if own.Header.Get("x-preview-source") != "override" || own.JSON(t)["commit"] != commit || own.JSON(t)["environment"] != "pr1" {
		t.Errorf("service1 of pr1 answers %v %s", own.Header, own.Body)
	}
	shared := get(t, world.URL("pr1")+"/service2")
	if shared.Header.Get("x-preview-source") != "fallback" || shared.JSON(t)["commit"] != world.Repository.Commits["main"] {
		t.Errorf("service2 of pr1 answers %v %s", shared.Header, shared.Body)
	}
	front := get(t, world.URL("pr1")+"/")
	if front.Status != http.StatusOK || front.Header.Get("x-preview-commit") != commit || front.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the page of pr1 answers %d %v", front.Status, front.Header)
	}

	extended := command(t, "/extendenv", "pr1 2h")
	if !strings.Contains(extended.Text, "until") {
		t.Errorf("/extendenv is answered with %q, which lacks the new time", extended.Text)
	}
	receipt := remove(t, "pr1")
	if !strings.Contains(string(receipt.Blocks), "each verified gone") {
		t.Errorf("the message has no receipt: %s", receipt.Blocks)
	}
	gone := get(t, world.URL("pr1")+"/service1")
	if gone.Status != http.StatusNotFound || gone.Header.Get("x-preview-source") != "" {
		t.Errorf("the removed pr1 answers %d %s", gone.Status, gone.Body)
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("the AWS endpoint lists other things than before (-before +after):\n%s", diff)
	}
}

func TestAnExecutionWithThePublishedPayloadWorks(t *testing.T) {
	commit := world.Repository.Commits["pr2"]
	input := fmt.Sprintf(`{"commitId":%q,"servicesToProvision":["service1","service2"],"provisionQueues":true,"environmentVariablesOverrides":{}}`, commit)
	execute(t, input)
	serves(t, world.URL("pr2")+"/service1", "service1")
	serves(t, world.URL("pr2")+"/service2", "service2")

	t.Run("inside, service1 reaches service2 by the environment's URL", func(t *testing.T) {
		p := get(t, world.URL("pr2")+"/service1/downstream")
		if !strings.Contains(p.Body, `"pr2"`) || strings.Contains(p.Body, `"baseline"`) {
			t.Errorf("downstream answers %s", p.Body)
		}
	})
	t.Run("the same input again changes nothing and adds nothing", func(t *testing.T) {
		before := inventory(t)
		execute(t, input)
		time.Sleep(8 * time.Second)
		if diff := cmp.Diff(before, inventory(t)); diff != "" {
			t.Errorf("the re-run changed resources (-before +after):\n%s", diff)
		}
		serves(t, world.URL("pr2")+"/service1", "service1")
	})
	t.Run("queues are the environment's own", func(t *testing.T) {
		body := fmt.Sprintf("order-%d", time.Now().UnixNano())
		send(t, "pv-pr2-orders-", body)
		eventually(t, func() bool { return strings.Contains(get(t, world.URL("pr2")+"/service1/orders").Body, body) })
		if staging := get(t, world.BaselineURL()+"/service1/orders"); strings.Contains(staging.Body, body) {
			t.Error("the baseline consumed a message of pr2")
		}
		other := fmt.Sprintf("order-%d", time.Now().UnixNano())
		send(t, "staging-orders", other)
		eventually(t, func() bool { return strings.Contains(get(t, world.BaselineURL()+"/service1/orders").Body, other) })
		if mine := get(t, world.URL("pr2")+"/service1/orders"); strings.Contains(mine.Body, other) {
			t.Error("pr2 consumed a message of the baseline")
		}
	})
	t.Run("an execution removes it", func(t *testing.T) {
		out := ended(t, execute(t, `{"action":"cleanup","environment":"pr2"}`))
		var end statemachine.CleanUpOutput
		if err := json.Unmarshal([]byte(*out.Output), &end); err != nil || end.Outcome != statemachine.Gone {
			t.Errorf("the removal ended with %s", *out.Output)
		}
	})
}

func TestACommitWithoutAPullRequestIsNamedByItself(t *testing.T) {
	commit := world.Repository.Commits["main"]
	execute(t, fmt.Sprintf(`{"commitId":%q,"servicesToProvision":["service2"],"provisionQueues":false,"environmentVariablesOverrides":{"LOG_LEVEL":"debug"}}`, commit))
	label := "c-" + commit[:7]
	serves(t, world.URL(label)+"/service2", "service2")
	ended(t, execute(t, fmt.Sprintf(`{"action":"cleanup","environment":%q}`, label)))
}

func TestANewCommitReplacesTheOldWithoutAFailedRequest(t *testing.T) {
	provision(t, "swap", world.Repository.Commits["pr1"]+" service1 --as swap")
	sha, err := world.Repository.Push(t.Context(), 1, git.All(fresh("pr1"), git.SetVersion("service1", "swapped")))
	if err != nil {
		t.Fatal(err)
	}
	stop := hammer(t, world.URL("swap")+"/service1")
	provision(t, "swap", sha+" service1 --as swap")
	if requests, failed := stop(); failed > 0 || requests == 0 {
		t.Errorf("%d of %d requests failed while the commit was replaced", failed, requests)
	}
	if p := get(t, world.URL("swap")+"/service1"); p.JSON(t)["commit"] != sha {
		t.Errorf("after the update service1 answers %s", p.Body)
	}

	t.Run("a bad commit leaves the good one serving and says so", func(t *testing.T) {
		bad, err := world.Repository.Push(t.Context(), 1, git.All(fresh("pr1"), git.BreakBuild("service1")))
		if err != nil {
			t.Fatal(err)
		}
		before := message(t, "swap")
		stop := hammer(t, world.URL("swap")+"/service1")
		command(t, "/provisionenv", bad+" service1 --as swap")
		m := until(t, "swap", "degraded", before)
		for _, word := range []string{"service1", "build", sha[:7]} {
			if !strings.Contains(string(m.Blocks), word) {
				t.Errorf("the message does not say %q: %s", word, m.Blocks)
			}
		}
		if requests, failed := stop(); failed > 0 {
			t.Errorf("%d of %d requests failed while a bad commit was tried", failed, requests)
		}
		if p := get(t, world.URL("swap")+"/service1"); p.JSON(t)["commit"] != sha {
			t.Errorf("after a failed update service1 answers %s", p.Body)
		}
	})
	remove(t, "swap")
}

func TestAFailedFirstProvisionIsRolledBackAndSaysWhy(t *testing.T) {
	before := inventory(t)
	cases := []struct {
		name, label string
		edit        git.Edit
		says        []string
	}{
		{"a build that fails", "badbuild", git.BreakBuild("service1"), []string{"service1", "BUILD"}},
		{"a task that crashes", "crash", git.Crash("service1"), []string{"service1", "exit"}},
		{"a build that leaves nothing", "empty", git.Nothing("service1"), []string{"service1", "pushed no image", "buildspec"}},
		{"a build that runs too long", "slow", git.Slow("service1"), []string{"service1", "time limit"}},
		{"a task that never answers", "hang", git.Hang("service1"), []string{"service1", "/healthz", "health checks"}},
		{"a task that answers its health check wrongly", "sick", git.Unhealthy("service1"), []string{"service1", "500"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sha, err := world.Repository.Push(t.Context(), 2, git.All(fresh("pr2"), c.edit))
			if err != nil {
				t.Fatal(err)
			}
			command(t, "/provisionenv", sha+" service1 --as "+c.label)
			m := until(t, c.label, "failed", slack.Message{})
			for _, word := range c.says {
				if !strings.Contains(string(m.Blocks), word) {
					t.Errorf("the message does not say %q: %s", word, m.Blocks)
				}
			}
		})
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("roll-backs left something (-before +after):\n%s", diff)
	}
}

func TestTwentyEnvironmentsAtOnceAllBecomeReady(t *testing.T) {
	before := inventory(t)
	commit := world.Repository.Commits["pr1"]
	var labels []string
	for i := range 20 {
		labels = append(labels, fmt.Sprintf("many%d", i))
	}
	var group sync.WaitGroup
	for i, label := range labels {
		somebody := fmt.Sprintf("U0MANY%02d", i) // one person may have three
		group.Go(func() {
			if _, err := typed(t, somebody, "/provisionenv", commit+" service1 --as "+label); err != nil {
				t.Errorf("%s: %v", label, err)
			}
		})
	}
	group.Wait()
	for _, label := range labels {
		until(t, label, "ready", slack.Message{})
	}
	seen := map[string]bool{}
	for _, priority := range priorities(t) {
		if seen[priority] {
			t.Errorf("the priority %s stands twice", priority)
		}
		seen[priority] = true
	}
	for _, label := range labels {
		group.Go(func() {
			if _, err := typed(t, person, "/cleanupenv", label); err != nil {
				t.Errorf("%s: %v", label, err)
			}
		})
	}
	group.Wait()
	for _, label := range labels {
		until(t, label, "gone", slack.Message{})
		oneMessage(t, label)
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("twenty removals left something (-before +after):\n%s", diff)
	}
}

func TestACleanUpBeforeTheBuildEndsWins(t *testing.T) {
	before := inventory(t)
	sha, err := world.Repository.Push(t.Context(), 2, git.All(fresh("pr2"), git.SetVersion("service2", fmt.Sprint(time.Now().UnixNano()))))
	if err != nil {
		t.Fatal(err)
	}
	command(t, "/provisionenv", sha+" service2 --as early")
	remove(t, "early")
	time.Sleep(5 * time.Second) // the build ends meanwhile
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("a build that ended after the removal made something (-before +after):\n%s", diff)
	}
}

func TestAHostWithoutAnEnvironmentIsRefused(t *testing.T) {
	for _, path := range []string{"/", "/service1", "/service2/x", "/assets/app.js"} {
		if p := get(t, world.URL("nobody")+path); p.Status != http.StatusNotFound || strings.Contains(p.Body, "baseline") {
			t.Errorf("%s of an unknown host answers %d %s", path, p.Status, p.Body)
		}
	}
}

func TestAnEnvironmentEndsByItselfAtItsDeadline(t *testing.T) {
	before := inventory(t)
	provision(t, "brief", world.Repository.Commits["pr1"]+" service1 --as brief --ttl 1")
	m := until(t, "brief", "gone", slack.Message{})
	if !strings.Contains(string(m.Blocks), "each verified gone") {
		t.Errorf("the message has no receipt: %s", m.Blocks)
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("an expiry left something (-before +after):\n%s", diff)
	}
}
