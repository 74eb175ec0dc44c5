package manner

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func lots(m *Manners) []time.Duration {
	var all []time.Duration
	for i := range 50 {
		all = append(all, m.Within(EdgeFirst, EdgeLast, "key", i))
	}
	return all
}

func TestTheSameSeedDrawsTheSameLots(t *testing.T) {
	first := lots(&Manners{Seed: 7, Factor: 10})
	if diff := cmp.Diff(first, lots(&Manners{Seed: 7, Factor: 10})); diff != "" {
		t.Errorf("the same seed (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, lots(&Manners{Seed: 8, Factor: 10})) {
		t.Error("another seed draws the same")
	}
}

func TestALotIsWithinItsBoundsAndScaled(t *testing.T) {
	all := lots(&Manners{Seed: 1, Factor: 10})
	if least, most := slices.Min(all), slices.Max(all); least < 2*time.Second || most > 3500*time.Millisecond || most-least < time.Second {
		t.Errorf("20 to 35 s, ten times as fast, are %s to %s", least, most)
	}
}

func TestOddsAreAboutWhatTheySay(t *testing.T) {
	m, fell := &Manners{Seed: 1, Factor: 1}, 0
	for i := range 3000 {
		if m.Draws(ServiceLate, "service", i) {
			fell++
		}
	}
	if fell < 800 || fell > 1200 {
		t.Errorf("one in three of 3000 is %d", fell)
	}
}

func TestNoMannersAreTheKindest(t *testing.T) {
	var m *Manners
	if m.Within(EdgeFirst, EdgeLast) != 0 || m.Scaled(ListLast) != 0 || m.Draws(1) {
		t.Error("without manners something waits or is refused")
	}
}

func TestTheSettingsAreRead(t *testing.T) {
	for _, c := range []struct {
		name, seed, factor string
		want               *Manners
		wrong              bool
	}{
		{"none is the usual", "", "", &Manners{Seed: 1, Factor: Usual}, false},
		{"both", "7", "2.5", &Manners{Seed: 7, Factor: 2.5}, false},
		{"a factor of 0 is no manners", "7", "0", nil, false},
		{"a seed that is no number", "first", "", nil, true},
		{"a factor below 0", "", "-1", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("MANNERS_SEED", c.seed)
			t.Setenv("MANNERS_FACTOR", c.factor)
			got, err := FromEnvironment()
			if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.wrong {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
