package kvs

import (
	"testing"
	"time"

	"previewenv/infra/local/manner"
)

func (s *Store) write(t *testing.T, puts []pair, deletes ...string) {
	t.Helper()
	if _, _, f := s.update(s.etag(), puts, deletes); f != nil {
		t.Fatal(f)
	}
}

// reads counts what an edge says in many reads, so long after the last change.
func reads(e *Edge, after time.Duration) map[string]int {
	e.now = func() time.Time { return time.Now().Add(after) }
	counts := map[string]int{}
	for range 500 {
		value, ok := e.Get("pr1")
		if !ok {
			value = "none"
		}
		counts[value]++
	}
	return counts
}

func TestAnEdgeIsBehindItsStore(t *testing.T) {
	s := New()
	e := s.Edge(&manner.Manners{Seed: 1, Factor: 1})
	s.write(t, []pair{{"pr1", "old"}})
	if got := reads(e, 0); got["none"] < 400 {
		t.Errorf("a key that was just made is read as %v", got)
	}
	if got := reads(e, time.Minute); got["old"] != 500 {
		t.Errorf("a minute later it is read as %v", got)
	}
}

func TestWhileALiveKeyChangesAnEdgeSaysOldNewAndNothingInTurn(t *testing.T) {
	s := New()
	e := s.Edge(&manner.Manners{Seed: 1, Factor: 1})
	s.write(t, []pair{{"pr1", "old"}})
	s.past["pr1"].versions[0].shown = time.Now()
	s.write(t, []pair{{"pr1", "new"}})
	if got := reads(e, 0); got["old"] < 350 || got["new"] == 0 || got["none"] == 0 {
		t.Errorf("at once it is read as %v", got)
	}
	if got := reads(e, manner.EdgeLast); got["new"] != 500 {
		t.Errorf("at the end it is read as %v", got)
	}
	s.write(t, nil, "pr1")
	if got := reads(e, 0); got["old"] < 350 {
		t.Errorf("a deleted key is read as %v", got)
	}
}

func TestTheAPIIsNotBehind(t *testing.T) {
	s := New()
	s.Edge(&manner.Manners{Seed: 1, Factor: 1})
	s.write(t, []pair{{"pr1", "new"}})
	if value, ok := s.Get("pr1"); !ok || value != "new" {
		t.Errorf("the store itself has %q, %t", value, ok)
	}
}

func TestSettledIsWhatAnEdgeShows(t *testing.T) {
	s := New()
	e := s.Edge(&manner.Manners{Seed: 1, Factor: 1000})
	s.write(t, []pair{{"pr1", "new"}})
	s.Settle(t.Context())
	if value, ok := e.Get("pr1"); !ok || value != "new" {
		t.Errorf("it shows %q, %t", value, ok)
	}
}
