// Command docker stands in for Docker in local builds: build, push, tag and login,
// without an engine. Called as aws, it has the one call that a login to ECR needs.
// It knows the image store and nothing of what is in the images.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"previewenv/infra/local/registry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := cli{store: registry.Store{Dir: os.Getenv(registry.DirVariable)}, in: os.Stdin, out: os.Stdout, ecr: client}
	called, call := filepath.Base(os.Args[0]), c.docker
	if called == "aws" {
		call = c.aws
	}
	if err := call(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", called, err)
		os.Exit(1)
	}
}

func client(ctx context.Context) (api, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	return ecr.NewFromConfig(cfg), nil
}

// api is what the commands call of ECR.
type api interface {
	registry.API
	BatchGetImage(context.Context, *ecr.BatchGetImageInput, ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error)
	GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput, ...func(*ecr.Options)) (*ecr.GetAuthorizationTokenOutput, error)
}

type cli struct {
	store registry.Store
	in    io.Reader
	out   io.Writer
	ecr   func(context.Context) (api, error)
}
