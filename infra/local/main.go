// Command local runs the suite on one machine: the real functions, the real state
// machine and the real AWS calls, with an emulator below and agents that give it
// hands. "up" keeps it running, "demo" plays a life on it, "reap" sweeps the running
// one, "faults" tries what a life survives.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"previewenv/infra/local/demo"
	"previewenv/infra/local/faults"
	"previewenv/infra/local/manner"
	"previewenv/infra/local/process"
	"previewenv/infra/local/stack"
)

const usage = `usage: local up [--limits]
       local demo [--once]
       local reap [--dry-run]
       local faults [--seed N] [--only ROW] [--sample N] [--every] [--at-once N]
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	runtime.LockOSThread() // the request is the thread's, and ends with it
	if err := process.EndWithParent(); err != nil {
		fmt.Fprintln(os.Stderr, "local stack:", err)
	}
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "local stack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("say what to do: up, demo, reap or faults")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	once := flags.Bool("once", false, "end after the receipts")
	seed := flags.Uint64("seed", 1, "of the order of faults")
	only := flags.String("only", "", "the one row of faults to play, with its trace")
	every := flags.Bool("every", false, "try each read with every fault")
	sample := flags.Int("sample", 0, "play only so many rows of faults")
	atOnce := flags.Int("at-once", 0, "lives side by side")
	limits := flags.Bool("limits", false, "refuse what AWS's request rates and quotas would")
	dryRun := flags.Bool("dry-run", false, "only report")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if args[0] == "reap" {
		return reap(ctx, filepath.Join(root, ".local"), *dryRun)
	}
	dir, release, err := stack.Claim(filepath.Join(root, ".local"))
	if err != nil {
		return err
	}
	defer release()
	manners, err := manner.FromEnvironment()
	if err != nil {
		return err
	}
	options := stack.Options{Root: root, Manners: manners, Dir: dir, Limits: *limits, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	switch args[0] {
	case "up":
		return up(ctx, options)
	case "demo":
		return demo.Run(ctx, options, *once)
	case "faults":
		return faults.Main(ctx, options, faults.Options{Seed: *seed, Only: *only, Every: *every, Sample: *sample, AtOnce: *atOnce, Out: os.Stdout})
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("there is no %q", args[0])
}

// up keeps a stack running until Ctrl-C. Its one line on standard output is the
// contract.
func up(ctx context.Context, options stack.Options) error {
	options.Tell = func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	options.SweepEvery = 5 * time.Minute // as the schedule does
	s, err := stack.Start(ctx, options)
	if err != nil {
		return err
	}
	fmt.Println(s.Info.JSON())
	<-ctx.Done()
	return s.Close()
}
