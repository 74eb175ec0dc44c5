package slack

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// maxLifetime is only a bound against overflow; the catalog's is far below it.
const maxLifetime = 366 * 24 * time.Hour

var (
	minutes   = regexp.MustCompile(`^[0-9]{1,9}$`)
	spans     = regexp.MustCompile(`^([0-9]{1,9}(\.[0-9]{1,3})?[dhms])+$`)
	span      = regexp.MustCompile(`([0-9.]+)([dhms])`)
	wordUnits = regexp.MustCompile(`(days?|hours?|hrs?|minutes?|mins?|seconds?|secs?)`)
)

var units = map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}

// parseLifetime reads a number of minutes (120) or a time (2h, 90m, 1h30m, 1d),
// rounded up to minutes. A fault comes with a guess of what was meant, if there
// is one.
func parseLifetime(text string) (minutesUp int, guess string, bad *fault.Fault) {
	s := strings.ToLower(strings.TrimSpace(text))
	d, ok := readSpan(s)
	switch {
	case !ok && strings.HasPrefix(s, "-"):
		bad = badTime("A lifetime cannot be negative, and %q is.", shown(text))
	case !ok:
		guess = guessSpan(s)
		bad = badTime("%q is no time.", shown(text))
	case d <= 0:
		bad = badTime("%q is no time at all.", shown(text))
	case d > maxLifetime:
		bad = badTime("%q is more than a year.", shown(text))
	}
	if bad != nil {
		return 0, guess, bad
	}
	return int(math.Ceil(d.Minutes())), "", nil
}

func badTime(format string, args ...any) *fault.Fault {
	return fault.New(statemachine.ErrBadRequest, format, args...).In(FieldTTL).
		WithNext("Write minutes (`120`) or a time (`2h`, `90m`, `1h30m`).")
}

func readSpan(s string) (time.Duration, bool) {
	if minutes.MatchString(s) {
		s += "m"
	}
	if !spans.MatchString(s) {
		return 0, false
	}
	var sum float64
	for _, m := range span.FindAllStringSubmatch(s, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, false
		}
		sum += n * float64(units[m[2]])
	}
	// Beyond this a Duration overflows; it is refused as too long.
	return time.Duration(min(sum, float64(2*maxLifetime))), true
}

// guessSpan tries units in words, a space, and a last unit left out (1h30).
func guessSpan(s string) string {
	s = wordUnits.ReplaceAllStringFunc(strings.Join(strings.Fields(s), ""), func(u string) string { return u[:1] })
	for _, try := range []string{s, s + "m"} {
		if d, ok := readSpan(try); ok && d > 0 && d <= maxLifetime {
			return try
		}
	}
	return ""
}

// shown cuts what a person typed to a length that a message can carry.
func shown(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
