package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/doctor"
)

// runDoctor prints what it finds. Its error says that something would fail.
func runDoctor(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	file := flags.String("catalog", "infra/catalog.yaml", "the catalog")
	local := flags.String("local", "", "folder of a running local stack, to look at that instead")
	asJSON := flags.Bool("json", false, "print JSON")
	tokens := flags.Bool("tokens", true, "read the Slack and GitHub tokens, to ask what they may do")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options, err := doctorOptions(ctx, *local, *file)
	if err != nil {
		return err
	}
	options.Tokens = *tokens
	report := doctor.Run(ctx, options)
	if *asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		report.Write(out)
	}
	if !report.Good {
		return errSaid
	}
	return nil
}

func doctorOptions(ctx context.Context, local, file string) (doctor.Options, error) {
	if local != "" {
		stack, err := readLocal(local)
		if err != nil {
			return doctor.Options{}, err
		}
		content, err := stack.catalog(ctx)
		return doctor.Options{Config: stack.config(), Catalog: content, Prefix: stack.prefix(), Local: true}, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return doctor.Options{}, fmt.Errorf("read catalog: %w", err)
	}
	content, err := catalog.Parse(text)
	if err != nil {
		return doctor.Options{}, fmt.Errorf("%s:\n%w", file, err)
	}
	if content.Installation == nil {
		return doctor.Options{}, errors.New(file + ": installation: is missing; it says which hosted zone, certificate and roles a deployment uses")
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return doctor.Options{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	return doctor.Options{Config: cfg, Catalog: content, Prefix: content.Installation.Prefix}, nil
}
