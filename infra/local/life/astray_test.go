package life

import (
	"encoding/json"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/git"
	"previewenv/infra/local/slack"
	"previewenv/statemachine"
)

// TestWhatGoesOnBesideAFailureMakesNothingAfterIt has the items of a Map go on when
// one of them has failed, as invocations do that have begun. The emulator stops all of
// them at once.
func TestWhatGoesOnBesideAFailureMakesNothingAfterIt(t *testing.T) {
	t.Parallel()
	before := inventory(t, "astray")
	sha := push(t, 2, git.BreakBuild("service1"))
	command(t, "/provisionenv", sha+" service1 service2 --queues --as astray")
	until(t, "astray", "building", slack.Message{})
	stop := goOn(t, "astray", map[string]string{"targetgroup": "service2", "rule": "service2", "service": "service2", "queue": "orders"})
	until(t, "astray", "failed", slack.Message{})
	for function, ends := range stop() {
		if !ends["made"] || !ends[statemachine.ErrSuperseded] {
			t.Errorf("%s ended as %v: it did not go on from before the failure to after it", function, ends)
		}
	}
	eventually(t, func() bool { return cmp.Equal(before, inventory(t, "astray")) })
	if left, err := endpoint.Remains(t.Context(), "astray"); err != nil || len(left) > 0 {
		t.Errorf("there is still %v (%v)", left, err)
	}
}

// goOn invokes functions for an item again and again, as the revision of an environment
// does that is wanted now, until the returned func is called; that tells how they ended.
func goOn(t *testing.T, label string, items map[string]string) (stop func() map[string]map[string]bool) {
	t.Helper()
	client := lambda.NewFromConfig(world.Config)
	revision, err := strconv.Atoi(text(t, label, "revision"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ends := map[string]map[string]bool{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for function, name := range items {
		ends[function] = map[string]bool{}
		payload, err := json.Marshal(statemachine.ResourceInput{Op: statemachine.OpEnsure, Environment: label, Revision: revision, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			for {
				out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(function), Payload: payload})
				if err != nil {
					t.Errorf("invoke %s: %v", function, err)
					return
				}
				var fault struct{ ErrorType string }
				_ = json.Unmarshal(out.Payload, &fault) // {} where it succeeded
				if fault.ErrorType == "" {
					fault.ErrorType = "made"
				}
				mu.Lock()
				ends[function][fault.ErrorType] = true
				mu.Unlock()
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	return func() map[string]map[string]bool {
		close(done)
		group.Wait()
		return ends
	}
}
