// Package kindtest demands of every resource kind what the laws of the suite
// promise: idempotent ways in and out, tags on everything, lists followed to
// their end, and grants that are the calls made, no more and no less. It knows
// no kind; each kind's own test hands it a Case.
package kindtest

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/kind"
)

// Case is what Run has to know of a kind.
type Case struct {
	Info kind.Info
	// Prefix is that of the installation: the value of the tag ManagedBy.
	Prefix string
	New    func(cfg aws.Config) kind.Kind
	// Seed makes what the resource stands on and returns its row, without ID and Tags.
	Seed func(t testing.TB, cfg aws.Config) kind.Resource
	// Made looks, not by way of the kind, for what the resource consists of now:
	// the tags of each thing, by a name of the test's choice. A kind whose things
	// cannot bear tags (an S3 object, a key of a KeyValueStore) says so by Untagged.
	Made     func(t testing.TB, cfg aws.Config, r kind.Resource) map[string]map[string]string
	Untagged bool
	// Crowd makes neighbours that no operation may touch, so that the kind's own
	// thing is not on the first page of a list. Optional.
	Crowd func(t testing.TB, cfg aws.Config, r kind.Resource)
	// Others exercises the kind's own further methods, so that the calls they make
	// count as granted. It runs after Ensure. Optional.
	Others func(t testing.TB, cfg aws.Config, k kind.Kind, r kind.Resource)
	// Bounds are where the reaper looks for the row's resource.
	Bounds func(r kind.Resource) kind.Bounds
	// Retag gives what was made other tags, behind the kind's back: an empty value takes
	// the tag away. Optional where these bear no tags.
	Retag func(t testing.TB, cfg aws.Config, r kind.Resource, tags map[string]string)
	// Invalid are specifications that Ensure and Remove must refuse.
	Invalid map[string]json.RawMessage
}

// Tags are those that everything of the environment pr1 bears.
func Tags(prefix string) map[string]string {
	return map[string]string{
		"ManagedBy": prefix, "Environment": "pr1", "PullRequest": "1", "Owner": "U123",
		"Commit": "abcd1234ef567890", "ExpiresAt": "2026-11-21T22:00:00Z",
	}
}

// Run holds the kind to all demands.
func Run(t *testing.T, c Case) {
	t.Run("info is complete", c.info)
	t.Run("ensure twice makes one", c.ensureTwice)
	t.Run("everything made carries our tags", c.tagged)
	t.Run("remove leaves nothing, and twice is no error", c.removeTwice)
	t.Run("remove before ensure is no error", c.removeFirst)
	t.Run("remove without an id removes", c.removeUnknown)
	t.Run("lists are followed past their first page", c.pages)
	t.Run("a wrong specification is refused before anything is made", c.invalid)
	t.Run("grants are the calls made", c.grants)
	t.Run("a sweep finds what was made, and removes it", c.swept)
	t.Run("what is not ours is neither changed nor removed", c.foreign)
	t.Run("grants of the sweep are the calls made", c.sweepGrants)
}

func (c Case) info(t *testing.T) {
	if c.Info.Name == "" || c.Info.Rank == 0 || len(c.Info.Grants) == 0 {
		t.Errorf("info = %+v, want a name, a rank and grants", c.Info)
	}
	if !json.Valid(c.Info.Example) {
		t.Errorf("example is no JSON: %s", c.Info.Example)
	}
	for _, grant := range c.Info.Grants {
		for _, resource := range grant.Resources {
			if resource == "*" && grant.Why == "" {
				t.Errorf("grant of %v on * does not say why", grant.Actions)
			}
		}
	}
}

func (c Case) ensureTwice(t *testing.T) {
	cfg, k, r := c.start(t)
	r = ensure(t, k, r)
	before := c.Made(t, awstest.Quiet(cfg), r)
	if len(before) == 0 {
		t.Fatal("nothing was made")
	}
	again := ensure(t, k, r)
	if again.ID != r.ID {
		t.Errorf("id = %q after a second ensure, want %q", again.ID, r.ID)
	}
	r.ID = ""
	if again = ensure(t, k, r); again.ID == "" {
		t.Error("no id after an ensure that did not know it")
	}
	if diff := cmp.Diff(before, c.Made(t, awstest.Quiet(cfg), again)); diff != "" {
		t.Errorf("a second ensure changed what there is: %s", diff)
	}
	present(t, k, again, true)
}

func (c Case) tagged(t *testing.T) {
	if c.Untagged {
		t.Skip("these bear no tags on AWS")
	}
	cfg, k, r := c.start(t)
	r = ensure(t, k, r)
	for name, got := range c.Made(t, awstest.Quiet(cfg), r) {
		for key, want := range Tags(c.Prefix) {
			if got[key] != want {
				t.Errorf("tag %s of %s = %q, want %q", key, name, got[key], want)
			}
		}
	}
}

func (c Case) removeTwice(t *testing.T) {
	cfg, k, r := c.start(t)
	r = ensure(t, k, r)
	for range 2 {
		c.removed(t, cfg, k, r)
	}
}

func (c Case) removeFirst(t *testing.T) {
	cfg, k, r := c.start(t)
	c.removed(t, cfg, k, r)
}

func (c Case) removeUnknown(t *testing.T) {
	cfg, k, r := c.start(t)
	made := ensure(t, k, r)
	c.removed(t, cfg, k, r) // r has no ID: the function died before it could store it
	present(t, k, made, false)
}

func (c Case) pages(t *testing.T) {
	cfg, k, r := c.start(t)
	if c.Crowd != nil {
		c.Crowd(t, awstest.Quiet(cfg), r)
	}
	awstest.Pages(t, 1)
	made := ensure(t, k, r)
	before := c.Made(t, awstest.Quiet(cfg), made)
	ensure(t, k, r)
	if diff := cmp.Diff(before, c.Made(t, awstest.Quiet(cfg), made)); diff != "" {
		t.Errorf("with short pages a second ensure changed what there is: %s", diff)
	}
	present(t, k, r, true)
	c.removed(t, cfg, k, r)
}

func (c Case) invalid(t *testing.T) {
	specs := map[string]json.RawMessage{
		"an unknown field": json.RawMessage(`{"unheardOf": 1}`),
		"no JSON":          json.RawMessage(`{`),
		"nothing":          json.RawMessage(`{}`),
	}
	for name, spec := range c.Invalid {
		specs[name] = spec
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			_, k, r := c.start(t)
			r.Spec = spec
			if id, err := k.Ensure(t.Context(), r); !named(err) {
				t.Errorf("Ensure = %q, %v, want a named fault", id, err)
			}
			if err := k.Remove(t.Context(), r); !named(err) {
				t.Errorf("Remove = %v, want a named fault", err)
			}
			if got := mutating(awstest.Calls(t)); len(got) > 0 {
				t.Errorf("calls = %v, want none that changes anything", got)
			}
		})
	}
}

// start seeds an empty account.
func (c Case) start(t *testing.T) (aws.Config, kind.Kind, kind.Resource) {
	t.Helper()
	cfg := awstest.Config(t)
	r := c.Seed(t, awstest.Quiet(cfg))
	r.ID, r.Tags = "", Tags(c.Prefix)
	return cfg, c.New(cfg), r
}

func (c Case) removed(t *testing.T, cfg aws.Config, k kind.Kind, r kind.Resource) {
	t.Helper()
	if err := k.Remove(t.Context(), r); err != nil {
		t.Fatalf("Remove = %v", err)
	}
	present(t, k, r, false)
	if left := c.Made(t, awstest.Quiet(cfg), r); len(left) > 0 {
		t.Errorf("left after removal: %v", left)
	}
}

func ensure(t *testing.T, k kind.Kind, r kind.Resource) kind.Resource {
	t.Helper()
	id, err := k.Ensure(t.Context(), r)
	if err != nil {
		t.Fatalf("Ensure = %v", err)
	}
	if id == "" {
		t.Fatal("Ensure returned no id")
	}
	r.ID = id
	return r
}

func present(t *testing.T, k kind.Kind, r kind.Resource, want bool) {
	t.Helper()
	got, err := k.Verify(t.Context(), r)
	if err != nil || got != want {
		t.Fatalf("Verify = %v, %v, want %v", got, err, want)
	}
}
