package kindtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

func (c Case) swept(t *testing.T) {
	cfg, k, r := c.start(t)
	if c.Crowd != nil {
		c.Crowd(t, awstest.Quiet(cfg), r)
	}
	awstest.Pages(t, 1)
	made := ensure(t, k, r)
	found := c.find(t, k, made)
	if found.Environment != r.Environment {
		t.Errorf("the environment of what was found is %q, want %q", found.Environment, r.Environment)
	}
	c.removed(t, cfg, k, found)
	present(t, k, made, false)
	c.notFound(t, k, made)
}

// foreign makes what was made somebody else's, in each way that there is. A sweep
// still lists it, so that it is reported.
func (c Case) foreign(t *testing.T) {
	if c.Untagged {
		t.Skip("these bear no tags on AWS")
	}
	for name, tags := range map[string]map[string]string{
		"without tags":             {kind.TagManagedBy: "", kind.TagEnvironment: ""},
		"of a nested installation": {kind.TagManagedBy: c.Prefix + "-b"},
		"of another environment":   {kind.TagEnvironment: "pr11"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, k, r := c.start(t)
			made := ensure(t, k, r)
			if err := k.(kind.Sweepable).Owned(t.Context(), made); err != nil {
				t.Fatalf("Owned = %v of what was just made", err)
			}
			c.Retag(t, awstest.Quiet(cfg), made, tags)
			before := c.Made(t, awstest.Quiet(cfg), made)
			found := c.find(t, k, made)
			awstest.Forget(t)
			for what, err := range map[string]error{
				"Owned":  k.(kind.Sweepable).Owned(t.Context(), made),
				"Remove": k.Remove(t.Context(), made),
				"Remove without the ledger": func() error {
					found.Environment = made.Environment
					return k.Remove(t.Context(), found)
				}(),
				"Ensure": func() error { _, err := k.Ensure(t.Context(), made); return err }(),
			} {
				if !fault.Is(err, statemachine.ErrForbidden) {
					t.Errorf("%s = %v, want a fault named %s", what, err, statemachine.ErrForbidden)
				}
			}
			if got := mutating(awstest.Calls(t)); len(got) > 0 {
				t.Errorf("calls = %v, want none that changes anything", got)
			}
			if diff := cmp.Diff(before, c.Made(t, awstest.Quiet(cfg), made)); diff != "" {
				t.Errorf("it was changed: %s", diff)
			}
		})
	}
}

func (c Case) sweepGrants(t *testing.T) {
	cfg, k, r := c.start(t)
	made := ensure(t, k, r)
	before := len(awstest.Calls(t))
	found := c.find(t, k, made)
	if _, _, err := k.(kind.Sweepable).Adopt(t.Context(), made.ID, Tags(c.Prefix), c.Bounds(r)); err != nil {
		t.Fatalf("Adopt = %v", err)
	}
	present(t, k, found, true)
	c.removed(t, cfg, k, found)
	info := c.Info
	c.Info.Grants = info.Sweep
	if diff := cmp.Diff(want(c, awstest.Calls(t)[before:]), granted(c)); diff != "" {
		t.Errorf("grants of the sweep are not the calls made (-called +granted): %s", diff)
	}
}

// find is the one resource of a list that is the row's.
func (c Case) find(t *testing.T, k kind.Kind, r kind.Resource) kind.Resource {
	t.Helper()
	var same []kind.Resource
	for _, found := range c.list(t, k, r) {
		if identity(t, k, found) == identity(t, k, r) {
			same = append(same, found)
		}
	}
	if len(same) != 1 {
		t.Fatalf("the list has %d of %s, want 1", len(same), identity(t, k, r))
	}
	return same[0]
}

// notFound looks twice, as the reaper does: lists of AWS go on showing for a while
// what was deleted, and only a describe call says what is there.
func (c Case) notFound(t *testing.T, k kind.Kind, r kind.Resource) {
	t.Helper()
	for _, found := range c.list(t, k, r) {
		if identity(t, k, found) == identity(t, k, r) {
			present(t, k, found, false)
		}
	}
}

func (c Case) list(t *testing.T, k kind.Kind, r kind.Resource) []kind.Resource {
	t.Helper()
	found, err := k.(kind.Sweepable).List(t.Context(), c.Bounds(r))
	if err != nil {
		t.Fatalf("List = %v", err)
	}
	return found
}

func identity(t *testing.T, k kind.Kind, r kind.Resource) string {
	t.Helper()
	name, err := k.(kind.Sweepable).Identify(r)
	if err != nil {
		t.Fatalf("Identify = %v", err)
	}
	return name
}
