package seed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/free"
	"previewenv/infra/local/git"
	"previewenv/infra/local/process"
	"previewenv/infra/local/registry"
)

// start runs the image of a backend as the agent would, and returns its origin.
func (b *seeded) start(t *testing.T, name string, variables ...string) (string, *process.Child) {
	t.Helper()
	image, err := b.options.Images.Unpack(b.Images[name])
	if err != nil {
		t.Fatal(err)
	}
	port, err := free.Port(0)
	if err != nil {
		t.Fatal(err)
	}
	command := image.Command()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(image.Env, fmt.Sprintf("PORT=%d", port),
		"AWS_ENDPOINT_URL="+*b.options.Config.BaseEndpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	cmd.Env = append(cmd.Env, variables...)
	child, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(child.Kill)
	return fmt.Sprintf("http://127.0.0.1:%d", port), child
}

// get asks until the answer is JSON that suits, for some seconds.
func get(t *testing.T, url string, suits func(map[string]any) bool) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var answer map[string]any
	for ctx.Err() == nil {
		if response, err := http.Get(url); err == nil {
			answer = nil
			err := json.NewDecoder(response.Body).Decode(&answer)
			_ = response.Body.Close()
			if err == nil && suits(answer) {
				return answer
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s never answered as it should; last: %v", url, answer)
	return nil
}

func imagesRun(t *testing.T, b *seeded) {
	service2, _ := b.start(t, "service2", "PREVIEW_COMMIT=a lie")
	service1, _ := b.start(t, "service1", "PREVIEW_ENVIRONMENT=pr1", "SERVICE2_HOST="+service2, "ORDERS_QUEUE_URL="+b.Queues["orders"])
	answer := get(t, service1+"/service1/downstream", func(a map[string]any) bool { return a["downstream"] != nil })
	main := b.options.Repository.Commits[git.Main]
	want := map[string]any{
		"service": "service1", "version": "1.0.0", "commit": main, "environment": "pr1",
		"downstream": map[string]any{"service": "service2", "version": "1.0.0", "commit": main, "environment": "baseline"},
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	queue := b.Queues["orders"]
	if _, err := b.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("two apples")}); err != nil {
		t.Fatal(err)
	}
	get(t, service1+"/service1/orders", func(a map[string]any) bool {
		orders, _ := a["orders"].([]any)
		return slices.Contains(orders, any("two apples"))
	})
	get(t, service1+"/healthz", func(a map[string]any) bool { return a["healthy"] == true })
}

func imagesEnd(t *testing.T, b *seeded) {
	healthy := func(want bool) func(map[string]any) bool {
		return func(a map[string]any) bool { return a["healthy"] == want }
	}
	bad, _ := b.start(t, "service2", "HEALTH_STATUS=500")
	get(t, bad+"/healthz", healthy(false))

	_, crashed := b.start(t, "service1", "CRASH=1")
	<-crashed.Done()
	if crashed.Err() == nil {
		t.Error("CRASH=1 ended without an error")
	}
	good, child := b.start(t, "service1")
	get(t, good+"/healthz", healthy(true))
	if err := syscall.Kill(child.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-child.Done()
	if err := child.Err(); err != nil {
		t.Errorf("SIGTERM ended it with %v", err)
	}
	hung, _ := b.start(t, "service2", "HANG=1")
	client := http.Client{Timeout: time.Second}
	if response, err := client.Get(hung + "/healthz"); err == nil {
		_ = response.Body.Close()
		t.Error("HANG=1 answered")
	}
}

func tagsAreImmutable(t *testing.T, b *seeded) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCMD [\"/other\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ref, store := b.Images["service1"], registry.Store{Dir: t.TempDir()}
	if _, err := b.options.Images.Push(t.Context(), b.ecr, ref); err != nil {
		t.Errorf("the same image: %v", err)
	}
	if _, err := store.Build(dir, "", ref); err != nil {
		t.Fatal(err)
	}
	_, err := store.Push(t.Context(), b.ecr, ref)
	if _, ok := errors.AsType[*ecrtypes.ImageTagAlreadyExistsException](err); !ok {
		t.Errorf("another image: %v", err)
	}
}

func brokenBuildSaysWhy(t *testing.T, b *seeded) {
	dir := filepath.Join(t.TempDir(), "src")
	sha, err := b.options.Repository.Push(t.Context(), 1, git.BreakBuild("service1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.options.Repository.CheckOut(t.Context(), sha, dir); err != nil {
		t.Fatal(err)
	}
	environment := append(os.Environ(), "PATH="+b.options.Bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"AWS_ENDPOINT_URL="+*b.options.Config.BaseEndpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	err = runBuildspec(t.Context(), Build{Service: "service1", Dir: dir, Buildspec: "service1/buildspec.yml", Environment: environment})
	if err == nil || !strings.Contains(err.Error(), "broken.go") {
		t.Errorf("got %v", err)
	}
}
