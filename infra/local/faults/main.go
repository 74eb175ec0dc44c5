package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/stack"
)

// Options say what to try.
type Options struct {
	Seed uint64
	// Only is the name of the one row to play, with its trace; empty is all.
	Only string
	// Every tries each read with every fault, not one of its kind.
	Every bool
	// Sample plays only so many rows, the first of the seed's order; 0 is all.
	Sample int
	// AtOnce is how many lives are played side by side; 0 is as many as keep two cores
	// busy.
	AtOnce int
	Out    io.Writer
}

// atOnce lives mostly wait, for health checks and for retries.
const atOnce = 10

// Main starts a stack, tries the faults and prints the table. It is an error if
// anything was left behind, wrongly told or changed.
func Main(ctx context.Context, so stack.Options, o Options) error {
	if o.AtOnce == 0 {
		o.AtOnce = atOnce
	}
	var err error
	if so.Catalog, err = Catalog(so.Root); err != nil {
		return err
	}
	so.Running, so.Spread = o.AtOnce, true
	if so.Manners != nil {
		so.Manners.Seed = o.Seed
	}
	so.Tell = func(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }
	s, err := stack.Start(ctx, so)
	if err != nil {
		return err
	}
	return errors.Join(try(ctx, s, o), s.Close())
}

func try(ctx context.Context, s *stack.Stack, o Options) error {
	var err error
	w := New(s)
	s.Edge.Remember()
	if w.Commits[1], err = w.commit(ctx, "second", "service1", "web"); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "recording the calls of a life\n")
	calls, each, err := w.calls(ctx)
	if err != nil {
		return err
	}
	all := shuffle(append(rows(calls, o.Every), others()...), o.Seed)
	changing := 0
	for _, c := range calls {
		if c.mutating() {
			changing++
		}
	}
	fmt.Fprintf(o.Out, "a life makes %d distinct calls, %d of them change something, and takes %s alone\n", len(calls), changing, each.Round(100*time.Millisecond))
	if !o.Every {
		fmt.Fprintf(o.Out, "every call that changes something is tried with every fault; of the reads one a function and operation, and each that may be stale\n")
	}
	if o.Only != "" {
		if all = slices.DeleteFunc(all, func(r Row) bool { return r.Name != o.Only }); len(all) == 0 {
			return fmt.Errorf("there is no row %q", o.Only)
		}
	}
	if o.Sample > 0 && o.Sample < len(all) {
		fmt.Fprintf(o.Out, "a sample: %d of %d rows\n", o.Sample, len(all))
		all = all[:o.Sample]
	}
	fmt.Fprintf(o.Out, "%d lives to play, %d at once, seed %d\n", len(all), o.AtOnce, o.Seed)
	played, last, start := 0, time.Now(), time.Now()
	report, err := w.Run(ctx, all, o.AtOnce, func(r Result) {
		played++
		switch {
		case r.life != nil && len(r.life.lies) > 0:
			fmt.Fprintf(o.Out, "  %s: %s %v\n", r.Name, r.Reason, r.life.lies)
		case r.Verdict == LeftBehind:
			fmt.Fprintf(o.Out, "  left to the sweep: %s\n", r.Name)
		}
		if time.Since(last) > 10*time.Second {
			last = time.Now()
			left := time.Since(start) / time.Duration(played) * time.Duration(len(all)-played)
			fmt.Fprintf(o.Out, "  %d of %d; %s to go\n", played, len(all), left.Round(time.Second))
		}
	})
	if err != nil {
		return err
	}
	report.Print(o.Out)
	if o.Only != "" {
		report.Results[0].PrintTrace(o.Out)
		fmt.Fprintf(o.Out, "%v\nthe sweep: %s\n", report.Results[0].Notes, report.Sweep)
	}
	if report.Bad() {
		return errors.New("not everything came out right; make faults ONLY='<row>' shows one row")
	}
	return nil
}

// Brief are the rows of every call of a short life that changes something, each with
// one of some kinds in turn, in the order of a seed: what a test has time for.
func (w *World) Brief(ctx context.Context, seed uint64, kinds ...edge.Kind) ([]Row, error) {
	calls, err := w.recordOf(ctx, brief, "brief1", "brief2")
	if err != nil {
		return nil, err
	}
	all := rows(slices.DeleteFunc(calls, func(r recorded) bool { return !r.mutating() }), false)
	return shuffle(inTurn(slices.DeleteFunc(all, func(r Row) bool { return r.alone }), kinds), seed), nil
}

// inTurn leaves each call one of the kinds, or the one of them that it can have.
func inTurn(all []Row, kinds []edge.Kind) []Row {
	type call struct {
		like edge.Like
		n    int
	}
	var order []call
	possible := map[call][]Row{}
	for _, r := range all {
		if c := (call{r.Like, r.N}); slices.Contains(kinds, r.Kind) {
			if possible[c] == nil {
				order = append(order, c)
			}
			possible[c] = append(possible[c], r)
		}
	}
	chosen := make([]Row, len(order))
	for i, c := range order {
		chosen[i] = possible[c][i%len(possible[c])]
	}
	return chosen
}
