package faults

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"previewenv/infra/local/edge"
)

// The faults that are no fault of a call.
const (
	stopped     edge.Kind = "execution stopped"
	outage      edge.Kind = "Slack outage"
	eventLost   edge.Kind = "build event lost"
	eventDouble edge.Kind = "build event doubled"
)

// Kinds are all kinds of faults, in the order of the table.
var Kinds = []edge.Kind{
	edge.Throttled, edge.InternalError, edge.AccessDenied, edge.CutBefore, edge.AnswerLost, edge.TooSlow, edge.StaleRead,
	edge.KilledUntold, edge.KilledAnswered, stopped, outage, eventLost, eventDouble,
}

// Row is one life with one fault.
type Row struct {
	Name  string
	Kind  edge.Kind
	Like  edge.Like
	N     int
	Label string // of the environment

	script script
	// alone: the call is made for several environments at once, or only by a function
	// that starts cold, so that no other life may be played beside it.
	alone bool
}

// recorded is one call of a life: what it is like, and which one of its like.
type recorded struct {
	like   edge.Like
	n      int
	stale  bool
	script script
	cold   bool
}

// mutating tells whether the call changes something.
func (r recorded) mutating() bool { return !edge.ReadOnly(r.like.Operation) }

// common are the calls that all traces have: how often somebody polls is chance.
func common(script script, traces ...[]edge.Call) []recorded {
	var counts []map[edge.Like]int
	stale := map[edge.Like]map[int]int{}
	var order []edge.Like
	for _, trace := range traces {
		most := map[edge.Like]int{}
		for _, c := range trace {
			if c.Operation == "" {
				continue
			}
			like := c.Like()
			if !slices.Contains(order, like) {
				order = append(order, like)
				stale[like] = map[int]int{}
			}
			most[like] = max(most[like], c.N)
			if c.Stale {
				stale[like][c.N]++
			}
		}
		counts = append(counts, most)
	}
	var calls []recorded
	for _, like := range order {
		n := counts[0][like]
		for _, most := range counts {
			n = min(n, most[like])
		}
		for i := 1; i <= n; i++ {
			calls = append(calls, recorded{like: like, n: i, stale: stale[like][i] == len(traces), script: script})
		}
	}
	return calls
}

// without are the calls of a that b has none like.
func without(a, b []recorded) []recorded {
	return slices.DeleteFunc(slices.Clone(a), func(r recorded) bool {
		return slices.ContainsFunc(b, func(other recorded) bool { return other.like == r.like })
	})
}

// kindsOf are the faults that a call may have.
func kindsOf(r recorded) []edge.Kind {
	kinds := []edge.Kind{edge.Throttled, edge.InternalError, edge.AccessDenied, edge.CutBefore, edge.AnswerLost, edge.TooSlow}
	if r.stale {
		kinds = append(kinds, edge.StaleRead)
	}
	if r.like.Caller == edge.StepFunctions {
		return append(kinds, stopped)
	}
	return append(kinds, edge.KilledUntold, edge.KilledAnswered)
}

// rows are the calls × their faults. Unless every is set, reads have one
// representative a function and operation; one that may be stale always is tried so.
func rows(calls []recorded, every bool) []Row {
	var all []Row
	read := map[[3]string]bool{}
	for _, r := range calls {
		represented := false
		if !r.mutating() && !every {
			key := [3]string{r.like.Caller, r.like.Service, r.like.Operation}
			represented, read[key] = read[key], true
		}
		// The stream's batches are chance, and so is how often somebody looks again.
		chance := r.like.Step == "stream"
		if chance && r.n > 2 || strings.HasSuffix(r.like.Step, "await") && r.n > 1 {
			continue
		}
		for _, kind := range kindsOf(r) {
			if represented && kind != edge.StaleRead {
				continue
			}
			all = append(all, Row{
				Name: fmt.Sprintf("%s %s #%d, %s", strings.TrimSpace(r.like.Caller+" "+r.like.Step), r.like.Service+"."+r.like.Operation, r.n, kind),
				Kind: kind, Like: r.like, N: r.n, script: r.script, alone: chance || r.cold,
			})
		}
	}
	return all
}

// others are the faults that are no call's.
func others() []Row {
	hold := edge.Like{Caller: edge.StepFunctions, Step: "hold storeToken", Service: "lambda", Operation: "Invoke"}
	return []Row{
		{Name: "Slack outage of 5 s while it is provisioned", Kind: outage, script: whole},
		{Name: "build event lost", Kind: eventLost, script: built},
		{Name: "build event doubled", Kind: eventDouble, script: built},
		{Name: "execution stopped in Hold, and nobody cleans up", Kind: stopped, Like: hold, N: 1, script: unheld},
	}
}

// shuffle gives the rows labels and, by seed, an order: the same seed is the same
// run, another one plays other lives beside each other. A row that has to be alone
// comes last.
func shuffle(all []Row, seed uint64) []Row {
	for i := range all {
		all[i].Label = fmt.Sprintf("f%d", i+1)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b Row) int { return cmp.Compare(order(a), order(b)) })
	return all
}

func order(r Row) int {
	if r.alone {
		return 1
	}
	return 0
}
