package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"previewenv/infra/local/registry"
)

// tokens is ECR as far as a login goes.
type tokens struct{ api }

func (tokens) GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput, ...func(*ecr.Options)) (*ecr.GetAuthorizationTokenOutput, error) {
	token := base64.StdEncoding.EncodeToString([]byte("AWS:password"))
	return &ecr.GetAuthorizationTokenOutput{AuthorizationData: []types.AuthorizationData{{AuthorizationToken: aws.String(token)}}}, nil
}

func program(t *testing.T) (cli, *bytes.Buffer) {
	t.Helper()
	out := &bytes.Buffer{}
	return cli{
		store: registry.Store{Dir: t.TempDir()}, in: strings.NewReader("password\n"), out: out,
		ecr: func(context.Context) (api, error) { return tokens{}, nil },
	}, out
}

func TestBuildTakesOptionsAnywhere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"Dockerfile": "FROM scratch\nCOPY a /a\nCMD [\"/a\"]\n", "Other": "FROM scratch\nCMD [\"/b\"]\n", "a": "a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"before the folder": {[]string{"build", "-t", "shop:1", dir}, "/a"},
		"after the folder":  {[]string{"build", dir, "--tag", "shop:1"}, "/a"},
		"with a file":       {[]string{"build", "-f", filepath.Join(dir, "Other"), "-t=other:1", "-t", "shop:1", dir}, "/b"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := program(t)
			if err := c.docker(t.Context(), test.args); err != nil {
				t.Fatal(err)
			}
			if err := c.docker(t.Context(), []string{"tag", "shop:1", "shop:2"}); err != nil {
				t.Fatal(err)
			}
			image, err := c.store.Unpack("shop:2")
			if err != nil || image.Entrypoint[0] != test.want {
				t.Errorf("entrypoint is %v (%v), want %s", image.Entrypoint, err, test.want)
			}
		})
	}
}

func TestWhatDockerCannotDoHereIsRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"no command":            {},
		"another command":       {"run", "x"},
		"an option":             {"build", "--no-cache", "-t", "x", "."},
		"a build without a tag": {"build", "."},
		"a build of two":        {"build", "-t", "x", ".", "y"},
		"a push of all tags":    {"push", "-a"},
		"a tag of nothing":      {"tag", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := program(t)
			if err := c.docker(t.Context(), args); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

func TestStoreMustBeNamed(t *testing.T) {
	c, _ := program(t)
	c.store.Dir = ""
	if err := c.docker(t.Context(), []string{"push", "x:1"}); err == nil || !strings.Contains(err.Error(), registry.DirVariable) {
		t.Errorf("got %v", err)
	}
	c.store.Dir = t.TempDir()
	if err := c.docker(t.Context(), []string{"build", "-t", "x:1", t.TempDir()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder without a Dockerfile: %v", err)
	}
}

func TestLoginReadsThePasswordThatAWSWrites(t *testing.T) {
	c, out := program(t)
	if err := c.aws(t.Context(), []string{"ecr", "get-login-password", "--region", "us-east-1"}); err != nil || out.String() != "password\n" {
		t.Errorf("aws wrote %q (%v)", out, err)
	}
	if err := c.docker(t.Context(), []string{"login", "--username", "AWS", "--password-stdin", "host"}); err != nil {
		t.Error(err)
	}
	if err := c.aws(t.Context(), []string{"s3", "ls"}); err == nil {
		t.Error("another aws command was accepted")
	}
}

// images is ECR that has one image.
type images struct{ api }

func (images) BatchGetImage(_ context.Context, in *ecr.BatchGetImageInput, _ ...func(*ecr.Options)) (*ecr.BatchGetImageOutput, error) {
	if *in.RepositoryName != "pv-main/service1" || *in.ImageIds[0].ImageTag != "abc" {
		return &ecr.BatchGetImageOutput{}, nil
	}
	return &ecr.BatchGetImageOutput{Images: []types.Image{{ImageManifest: aws.String("{}")}}}, nil
}

func TestAnImageThatTheRegistryHasIsToldFromOneThatItHasNot(t *testing.T) {
	c, _ := program(t)
	c.ecr = func(context.Context) (api, error) { return images{}, nil }
	for ref, there := range map[string]bool{
		"1.dkr.ecr.us-east-1.amazonaws.com/pv-main/service1:abc": true, "1.dkr.ecr.us-east-1.amazonaws.com/pv-main/service1:def": false,
		"1.dkr.ecr.us-east-1.amazonaws.com/pv-main/service1": false,
	} {
		if err := c.docker(t.Context(), []string{"manifest", "inspect", ref}); (err == nil) != there {
			t.Errorf("inspect %s = %v", ref, err)
		}
	}
}
