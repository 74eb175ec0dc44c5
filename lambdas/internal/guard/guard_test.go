package guard

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

var own = Guard{Prefix: "pv", BaseDomain: "preview.example.com"}

// alphabet has what a name is made of, and what it must not be.
const alphabet = "abz09-./*?A_ \x00é:@"

func word(r *rand.Rand) string {
	var b strings.Builder
	letters := []rune(alphabet)
	for range r.IntN(12) {
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return b.String()
}

// TestNothingButOurOwnPasses asks the guard about a hundred thousand made-up names:
// what it lets pass is ours by a test that knows nothing of it.
func TestNothingButOurOwnPasses(t *testing.T) {
	const seed = 20261120
	r := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // no secret
	label := regexp.MustCompile(`^[a-z0-9-]{1,63}$`)
	build := regexp.MustCompile(`^[^/]+/[0-9a-f]{7,64}/$`)
	for range 100_000 {
		name, environment, path := word(r), word(r), "/"+word(r)
		host := environment + "." + own.BaseDomain
		if r.IntN(3) == 0 {
			host = word(r) + host
		}
		if own.Label(name) == nil && (!label.MatchString(name) || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-")) {
			t.Fatalf("seed %d: the label %q passes", seed, name)
		}
		if own.Name(name) == nil && !strings.HasPrefix(name, "pv-") {
			t.Fatalf("seed %d: the name %q passes", seed, name)
		}
		if own.Host(host, environment) == nil && (host != environment+"."+own.BaseDomain || strings.Count(host, ".") != 3 || strings.ContainsAny(host, "*?/:")) {
			t.Fatalf("seed %d: the host %q of %q passes", seed, host, environment)
		}
		if own.Path(path) == nil && strings.Trim(path, "/*?") == "" {
			t.Fatalf("seed %d: the path %q passes", seed, path)
		}
		prefix := environment + "/" + word(r) + "/"
		if own.ObjectPrefix(prefix, environment) == nil && (!build.MatchString(prefix) || environment == "default" || strings.Contains(prefix, "..") || !label.MatchString(environment) || strings.Count(prefix, "/") < 2) {
			t.Fatalf("seed %d: the prefix %q passes", seed, prefix)
		}
		band := [2]int{r.IntN(60_000) - 5_000, r.IntN(60_000) - 5_000}
		if n := r.IntN(60_000) - 5_000; own.Priority(n, band) == nil && (n < 1 || n > 50_000 || n < band[0] || n > band[1]) {
			t.Fatalf("seed %d: the priority %d of %v passes", seed, n, band)
		}
	}
}

func TestWhatIsOursPasses(t *testing.T) {
	for what, err := range map[string]error{
		"a label":     own.Label("pr1"),
		"a name":      own.Name("pv-pr1-service1-1"),
		"a host":      own.Host("pr1.preview.example.com", "pr1"),
		"a path":      own.Path("/service1/*"),
		"a prefix":    own.ObjectPrefix("pr1/abcd1234/", "pr1"),
		"a priority":  own.Priority(1000, [2]int{1000, 39999}),
		"the last of": own.Priority(39999, [2]int{1000, 39999}),
	} {
		if err != nil {
			t.Errorf("%s is refused: %v", what, err)
		}
	}
}

func TestOnlyWhatBearsBothTagsIsOurs(t *testing.T) {
	for rule, c := range map[string]struct {
		tags        map[string]string
		environment string
		ours        bool
	}{
		"both tags":                              {map[string]string{"ManagedBy": "pv", "Environment": "pr1"}, "pr1", true},
		"no tags":                                {nil, "pr1", false},
		"a nested installation":                  {map[string]string{"ManagedBy": "pv-b", "Environment": "pr1"}, "pr1", false},
		"another team":                           {map[string]string{"ManagedBy": "payroll", "Environment": "pr1"}, "pr1", false},
		"no environment":                         {map[string]string{"ManagedBy": "pv"}, "pr1", false},
		"no environment, of which nobody knows":  {map[string]string{"ManagedBy": "pv"}, "", false},
		"an environment that begins alike":       {map[string]string{"ManagedBy": "pv", "Environment": "pr11"}, "pr1", false},
		"an environment that is no label":        {map[string]string{"ManagedBy": "pv", "Environment": "Staging"}, "Staging", false},
		"tags of the installation's in capitals": {map[string]string{"managedby": "pv", "environment": "pr1"}, "pr1", false},
	} {
		t.Run(rule, func(t *testing.T) {
			if err := own.Owns("queue x", c.tags, c.environment); (err == nil) != c.ours {
				t.Errorf("Owns = %v", err)
			}
		})
	}
	if err := (Guard{}).Owns("queue x", map[string]string{"ManagedBy": "", "Environment": "pr1"}, "pr1"); err == nil {
		t.Error("without a prefix everything is ours")
	}
}

func TestAnUnconfiguredGuardRefusesEverything(t *testing.T) {
	var none Guard
	if none.Name("pv-x") == nil || none.Host("pr1.", "pr1") == nil {
		t.Error("a guard without prefix and domain lets something pass")
	}
}

func FuzzHost(f *testing.F) {
	f.Add("pr1.preview.example.com", "pr1")
	f.Add("staging.example.com", "staging")
	f.Add("a.b.preview.example.com", "a.b")
	f.Fuzz(func(t *testing.T, host, environment string) {
		if own.Host(host, environment) == nil && (host != environment+"."+own.BaseDomain || strings.Count(environment, ".") > 0 || environment == "") {
			t.Errorf("%q of %q passes", host, environment)
		}
	})
}
