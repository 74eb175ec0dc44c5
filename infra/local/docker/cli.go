package main

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"previewenv/infra/local/registry"
)

const supported = "build -t REF [-f FILE] DIR, push REF, tag SOURCE TARGET, manifest inspect REF and login are"

func (c cli) docker(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("no command; " + supported + " supported here")
	}
	name, args := args[0], args[1:]
	if name != "login" && c.store.Dir == "" {
		return errors.New(registry.DirVariable + " does not name the image store")
	}
	switch name {
	case "build":
		return c.build(args)
	case "push":
		return c.push(ctx, args)
	case "tag":
		if len(args) != 2 {
			return errors.New("tag: it needs a source and a target")
		}
		return c.store.Tag(args[0], args[1])
	case "manifest":
		return c.inspect(ctx, args)
	case "login":
		// The password on standard input is read to its end: whoever writes it would
		// otherwise die of a broken pipe.
		if slices.Contains(args, "--password-stdin") {
			if _, err := io.Copy(io.Discard, c.in); err != nil {
				return fmt.Errorf("read password: %w", err)
			}
		}
		fmt.Fprintln(c.out, "Login Succeeded")
		return nil
	}
	return fmt.Errorf("%s is not supported here; %s", name, supported)
}

func (c cli) build(args []string) error {
	var tags list
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Var(&tags, "t", "name of the image")
	flags.Var(&tags, "tag", "name of the image")
	file := flags.String("f", "", "Dockerfile")
	flags.StringVar(file, "file", "", "Dockerfile")
	var dirs []string
	// Docker takes options after the folder too; the flag package stops there.
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return fmt.Errorf("build: %w; %s supported here", err, supported)
		}
		if args = flags.Args(); len(args) > 0 {
			dirs, args = append(dirs, args[0]), args[1:]
		}
	}
	if len(tags) == 0 || len(dirs) != 1 {
		return errors.New("build: it needs -t REF and one folder")
	}
	digest, err := c.store.Build(dirs[0], *file, tags[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "writing image %s\n", digest)
	for _, tag := range tags {
		if err := c.store.Tag(tags[0], tag); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "naming to %s\n", tag)
	}
	return nil
}

func (c cli) push(ctx context.Context, args []string) error {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return errors.New("push: it needs one reference")
	}
	client, err := c.ecr(ctx)
	if err != nil {
		return err
	}
	digest, err := c.store.Push(ctx, client, args[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: digest: %s\n", args[0], digest)
	return nil
}

// inspect fails for an image that the registry has not.
func (c cli) inspect(ctx context.Context, args []string) error {
	if len(args) != 2 || args[0] != "inspect" {
		return errors.New("manifest: inspect and one reference are supported here")
	}
	_, path, _ := strings.Cut(args[1], "/")
	repository, tag, ok := strings.Cut(path, ":")
	if !ok {
		return fmt.Errorf("manifest: %s has no tag", args[1])
	}
	client, err := c.ecr(ctx)
	if err != nil {
		return err
	}
	out, err := client.BatchGetImage(ctx, &ecr.BatchGetImageInput{RepositoryName: &repository, ImageIds: []types.ImageIdentifier{{ImageTag: &tag}}})
	if err != nil {
		return fmt.Errorf("look up %s: %w", args[1], err)
	}
	if len(out.Images) == 0 {
		return fmt.Errorf("no such manifest: %s", args[1])
	}
	fmt.Fprintln(c.out, aws.ToString(out.Images[0].ImageManifest))
	return nil
}

// aws answers aws ecr get-login-password, which builds pipe into docker login.
func (c cli) aws(ctx context.Context, args []string) error {
	if len(args) < 2 || args[0] != "ecr" || args[1] != "get-login-password" {
		return fmt.Errorf("%q is not supported here; ecr get-login-password is", strings.Join(args, " "))
	}
	client, err := c.ecr(ctx)
	if err != nil {
		return err
	}
	out, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return fmt.Errorf("get authorization token: %w", err)
	}
	if len(out.AuthorizationData) == 0 {
		return errors.New("get authorization token: the answer is empty")
	}
	token, err := base64.StdEncoding.DecodeString(aws.ToString(out.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		return fmt.Errorf("read authorization token: %w", err)
	}
	_, password, _ := strings.Cut(string(token), ":")
	fmt.Fprintln(c.out, password)
	return nil
}

// list is an option that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
