package route_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/route"
	"previewenv/statemachine"
)

var own = guard.Guard{Prefix: "preview", BaseDomain: "preview.example.com"}

const live = `{"state":"live","commit":"abcd1234","frontend":"pr1/abcd1234","overrides":["service1"]}`

func wanted() route.Spec {
	return route.Spec{
		Store: storeARN, Label: "pr1", URL: "https://pr1.preview.example.com",
		Value: route.Value{State: route.Live, Commit: "abcd1234", Frontend: "pr1/abcd1234", Overrides: []string{"service1"}},
	}
}

func row(t testing.TB, spec route.Spec) kind.Resource {
	t.Helper()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return kind.Resource{Environment: spec.Label, Name: "route", Spec: data}
}

func TestKind(t *testing.T) {
	s := newStore(t)
	kindtest.Run(t, kindtest.Case{
		Info:   route.Info(),
		Prefix: own.Prefix,
		New:    func(cfg aws.Config) kind.Kind { return route.FromConfig(s.config(cfg), own) },
		Seed: func(t testing.TB, _ aws.Config) kind.Resource {
			s.reset()
			s.values["pr10"] = live
			return row(t, wanted())
		},
		Bounds:   func(kind.Resource) kind.Bounds { return kind.Bounds{KeyValueStore: storeARN} },
		Untagged: true,
		Made: func(_ testing.TB, _ aws.Config, _ kind.Resource) map[string]map[string]string {
			made := map[string]map[string]string{}
			if value, ok := s.all()["pr1"]; ok {
				made["pr1"] = map[string]string{"value": value}
			}
			return made
		},
		Invalid: map[string]json.RawMessage{
			"the label of another environment": json.RawMessage(`{"label": "pr2"}`),
			"a label of two parts":             json.RawMessage(`{"label": "a.pr1"}`),
		},
	})
	if _, ok := s.all()["pr10"]; !ok {
		t.Error("the route of another environment is gone")
	}
}

func TestClientSpeaksToTheStoreOfTheAccount(t *testing.T) {
	s := newStore(t)
	k := route.FromConfig(s.config(plain()), own)
	if _, err := k.Ensure(t.Context(), row(t, wanted())); err != nil {
		t.Fatal(err)
	}
	host := "123456789012." + strings.TrimPrefix(s.url, "http://")
	if diff := cmp.Diff(map[string]bool{host: true}, s.hosts); diff != "" {
		t.Errorf("hosts: %s", diff)
	}
	// SigV4A: the store is global, and refuses a signature for one Region.
	if diff := cmp.Diff(map[string]bool{"AWS4-ECDSA-P256-SHA256": true}, s.signers); diff != "" {
		t.Errorf("signatures: %s", diff)
	}
}

func TestValueOfTheKey(t *testing.T) {
	const starting = `{"state":"starting","commit":"abcd1234"}`
	open := func(k *route.Kind, t *testing.T, r kind.Resource) error { return k.Open(t.Context(), r) }
	ensure := func(k *route.Kind, t *testing.T, r kind.Resource) error {
		_, err := k.Ensure(t.Context(), r)
		return err
	}
	closed := func(k *route.Kind, t *testing.T, r kind.Resource) error { return k.Close(t.Context(), r) }
	remove := func(k *route.Kind, t *testing.T, r kind.Resource) error { return k.Remove(t.Context(), r) }
	tests := map[string]struct {
		before string
		do     func(*route.Kind, *testing.T, kind.Resource) error
		after  string
		writes int
	}{
		"open a new environment":                {"", open, starting, 1},
		"open twice writes once":                {starting, open, starting, 0},
		"open again at another commit":          {`{"state":"starting","commit":"ffff"}`, open, starting, 1},
		"open leaves what is live":              {`{"state":"live","commit":"ffff"}`, open, `{"state":"live","commit":"ffff"}`, 0},
		"open replaces what cannot be read":     {"?", open, starting, 1},
		"ensure publishes":                      {starting, ensure, live, 1},
		"ensure without open publishes":         {"", ensure, live, 1},
		"ensure twice writes once":              {live, ensure, live, 0},
		"ensure replaces what an older one was": {`{"state":"live","commit":"ffff"}`, ensure, live, 1},
		"close says that it was removed":        {live, closed, `{"state":"gone"}`, 1},
		"close of nothing writes nothing":       {"", closed, "", 0},
		"remove takes the key away":             {live, remove, "", 1},
		"remove after close takes it away":      {`{"state":"gone"}`, remove, "", 1},
		"open after a removal":                  {`{"state":"gone"}`, open, starting, 1},
		"remove of nothing writes nothing":      {"", remove, "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			if test.before != "" {
				s.values["pr1"] = test.before
			}
			if err := test.do(route.FromConfig(s.config(plain()), own), t, row(t, wanted())); err != nil {
				t.Fatal(err)
			}
			if got := s.all()["pr1"]; got != test.after || s.writes != test.writes {
				t.Errorf("value %s after %d writes, want %s after %d", got, s.writes, test.after, test.writes)
			}
		})
	}
}

func TestEnvironmentsThatCollideAllGetThrough(t *testing.T) {
	s := newStore(t)
	k := route.FromConfig(s.config(plain()), own)
	want := map[string]string{}
	var group sync.WaitGroup
	for i := range 20 {
		spec := wanted()
		spec.Label = fmt.Sprintf("pr%d", i)
		want[spec.Label] = live
		group.Go(func() {
			r := row(t, spec)
			if err := k.Open(t.Context(), r); err != nil {
				t.Errorf("open %s: %v", spec.Label, err)
			}
			if _, err := k.Ensure(t.Context(), r); err != nil {
				t.Errorf("ensure %s: %v", spec.Label, err)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff(want, s.all()); diff != "" {
		t.Error(diff)
	}
}

func TestChangeThatNeverGetsThroughIsThrottled(t *testing.T) {
	s := newStore(t)
	s.conflicts = 1 << 20
	_, err := route.FromConfig(s.config(plain()), own).Ensure(t.Context(), row(t, wanted()))
	if !fault.Is(err, statemachine.ErrThrottled) {
		t.Errorf("Ensure = %v, want Throttled", err)
	}
}

func TestEnsureRefusesAValueThatTheEdgeCannotHold(t *testing.T) {
	s := newStore(t)
	spec := wanted()
	for i := range 80 {
		spec.Value.Overrides = append(spec.Value.Overrides, fmt.Sprintf("a-rather-long-name-%d", i))
	}
	_, err := route.FromConfig(s.config(plain()), own).Ensure(t.Context(), row(t, spec))
	f := fault.As(err)
	if f == nil || f.Name != statemachine.ErrNoRoom || !strings.Contains(f.What, "1024") || f.Next == "" {
		t.Errorf("Ensure = %v, want NoRoom with the limit and what to do", err)
	}
	if len(s.all()) > 0 {
		t.Error("something was written")
	}
}

func TestReservedLabelIsRefused(t *testing.T) {
	s := newStore(t)
	k := route.FromConfig(s.config(plain()), own)
	spec := wanted()
	spec.Label = "default"
	r := row(t, spec)
	for name, err := range map[string]error{"open": k.Open(t.Context(), r), "remove": k.Remove(t.Context(), r), "answers": k.Answers(t.Context(), r)} {
		if !fault.Is(err, statemachine.ErrForbidden) {
			t.Errorf("%s = %v, want Forbidden", name, err)
		}
	}
}

func TestRemoveWithoutAStore(t *testing.T) {
	s := newStore(t)
	spec := wanted()
	spec.Store = "arn:aws:cloudfront::123456789012:key-value-store/gone"
	k := route.FromConfig(s.config(plain()), own)
	if err := k.Remove(t.Context(), row(t, spec)); err != nil {
		t.Errorf("Remove = %v", err)
	}
	if _, err := k.Ensure(t.Context(), row(t, spec)); err == nil {
		t.Error("Ensure = nil, want the missing store")
	}
}
