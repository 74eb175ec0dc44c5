package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/edge"
)

func made(caller, step, service, operation string, n int) edge.Call {
	return edge.Call{Caller: caller, Step: step, Service: service, Operation: operation, N: n}
}

func names(calls []recorded) []string {
	var all []string
	for _, c := range calls {
		all = append(all, fmt.Sprintf("%s.%s#%d stale=%v", c.like.Caller, c.like.Operation, c.n, c.stale))
	}
	return all
}

func TestOnlyCallsThatEveryLifeMakesAreTried(t *testing.T) {
	late := made("service", "ensure", "ecs", "DescribeServices", 2)
	late.Stale = true
	one := []edge.Call{
		made("rule", "ensure", "elasticloadbalancing", "CreateRule", 1),
		made("service", "await", "ecs", "DescribeServices", 1), made("service", "await", "ecs", "DescribeServices", 2),
		made("service", "ensure", "ecs", "DescribeServices", 1), late,
	}
	two := []edge.Call{
		made("service", "await", "ecs", "DescribeServices", 1),
		made("service", "ensure", "ecs", "DescribeServices", 1), late,
		made("rule", "ensure", "elasticloadbalancing", "CreateRule", 1), made("rule", "ensure", "elasticloadbalancing", "", 1),
	}
	want := []string{
		"rule.CreateRule#1 stale=false", "service.DescribeServices#1 stale=false",
		"service.DescribeServices#1 stale=false", "service.DescribeServices#2 stale=true",
	}
	if diff := cmp.Diff(want, names(common(whole, one, two))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestACallThatChangesSomethingIsTriedWithEveryFault(t *testing.T) {
	calls := common(whole, []edge.Call{
		made("rule", "ensure", "elasticloadbalancing", "CreateRule", 1),
		made("rule", "remove", "elasticloadbalancing", "DescribeRules", 1), made("rule", "remove", "elasticloadbalancing", "DescribeRules", 2),
		made(edge.StepFunctions, "rule ensure", "lambda", "Invoke", 1),
		made("notify", "stream", "dynamodb", "PutItem", 3),
	})
	count := func(every bool) map[string]int {
		n := map[string]int{}
		for _, r := range rows(calls, every) {
			name, _, _ := strings.Cut(r.Name, ",")
			n[name]++
		}
		return n
	}
	const all = 8 // of edge's kinds, but for a stale read
	want := map[string]int{
		"rule ensure elasticloadbalancing.CreateRule #1":    all,
		"rule remove elasticloadbalancing.DescribeRules #1": all,
		"StepFunctions rule ensure lambda.Invoke #1":        7, // it cannot be killed, but stopped
		"notify stream dynamodb.PutItem #1":                 all,
		"notify stream dynamodb.PutItem #2":                 all, // and no more: the batches are chance
	}
	if diff := cmp.Diff(want, count(false)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	want["rule remove elasticloadbalancing.DescribeRules #2"] = all
	if diff := cmp.Diff(want, count(true)); diff != "" {
		t.Errorf("every row (-want +got):\n%s", diff)
	}
}

func TestTheSameSeedIsTheSameRun(t *testing.T) {
	calls := common(whole, []edge.Call{made("rule", "ensure", "elasticloadbalancing", "CreateRule", 1), made("notify", "stream", "dynamodb", "PutItem", 1)})
	run := func(seed uint64) (all []string) {
		for _, r := range shuffle(rows(calls, false), seed) {
			all = append(all, r.Label+" "+r.Name)
		}
		return all
	}
	if diff := cmp.Diff(run(1), run(1)); diff != "" {
		t.Errorf("two runs of seed 1:\n%s", diff)
	}
	if slices.Equal(run(1), run(2)) {
		t.Error("seed 2 is the order of seed 1")
	}
	if last := run(1); !strings.Contains(last[len(last)-1], "notify") {
		t.Errorf("a row that has to be alone is not last: %v", last)
	}
}

func TestALabelIsReadOffTheNamesOfItsResources(t *testing.T) {
	for name, want := range map[string]string{
		"pv-f12-service1-1": "f12", "pv-f12-orders-1": "f12", "staging-orders": "", "service1": "",
	} {
		if got := labelOf(name); got != want {
			t.Errorf("labelOf(%s) = %q, want %q", name, got, want)
		}
	}
}

func TestABriefTriesEachCallOnceByTheKindsInTurn(t *testing.T) {
	like := func(caller string) recorded {
		return recorded{like: made(caller, "ensure", "sqs", "CreateQueue", 1).Like(), n: 1}
	}
	all := rows([]recorded{like("one"), like("two"), like(edge.StepFunctions), like("three")}, false)
	var got []string
	for _, r := range inTurn(all, []edge.Kind{edge.AnswerLost, edge.KilledUntold}) {
		got = append(got, r.Like.Caller+": "+string(r.Kind))
	}
	want := []string{
		"one: answer lost", "two: killed before answer",
		edge.StepFunctions + ": answer lost", // it has no process to be killed
		"three: killed before answer",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
