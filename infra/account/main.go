// Command account looks at the account that previews live in, or will: "doctor"
// before a deployment and after any change of the catalog, "smoke" after one.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// errSaid ends the command with status 1 when the report has said why.
var errSaid = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends what tidies up
	err := run(ctx, os.Args[1:])
	if err == nil {
		return
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "doctor":
			return runDoctor(ctx, args[1:], os.Stdout)
		case "smoke":
			return runSmoke(ctx, args[1:], os.Stdout)
		}
	}
	return errors.New("say what to do: doctor or smoke")
}
