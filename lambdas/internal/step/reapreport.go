package step

import (
	"context"

	"previewenv/lambdas/config"
)

// report fills in what became of the items, and logs it once in CloudWatch's
// embedded metric format, so that silence is an alarm.
func (s *sweep) report(ctx context.Context) {
	for _, it := range s.items {
		line := Reaped{Environment: it.resource.Environment, Kind: it.kind.Name, Name: it.identity, Why: it.why}
		if it.leak {
			s.out.Leaks = append(s.out.Leaks, line)
		}
		switch {
		case s.dry || it.gone:
			s.out.Removed = append(s.out.Removed, line)
		default:
			line.Why += "; " + it.failure
			s.out.Left = append(s.out.Left, line)
		}
	}
	whole := 1
	if len(s.out.Problems) > 0 {
		whole = 0
	}
	line := []any{"dryRun", s.dry}
	if len(s.out.Foreign) > 0 {
		line = append(line, "notOurs", s.out.Foreign)
	}
	var names []string
	for _, m := range []struct {
		name  string
		count int
	}{
		{config.MetricSweeps, whole}, {config.MetricEnvironments, s.out.Environments}, {config.MetricEnded, len(s.out.Ended)},
		{config.MetricLeaks, len(s.out.Leaks)}, {config.MetricRemoved, len(s.out.Removed)}, {config.MetricLeft, len(s.out.Left)},
		{config.MetricHeld, len(s.out.Held)},
		{config.MetricProblems, len(s.out.Problems)},
	} {
		line, names = append(line, m.name, m.count), append(names, m.name)
	}
	s.Log.InfoContext(ctx, "sweep ended", append(line, "_aws", metrics(s.Now(), "Count", names...))...)
}
