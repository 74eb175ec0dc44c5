package step

import "context"

// report fills in what became of the items, and logs it once in CloudWatch's
// embedded metric format, so that silence is an alarm.
func (s *sweep) report(ctx context.Context) {
	for _, it := range s.items {
		line := Reaped{Environment: it.resource.Environment, Kind: it.kind.Name, Name: it.identity, Why: it.why}
		if it.leak {
			s.out.Leaks = append(s.out.Leaks, line)
		}
		switch {
		case s.dry:
			s.out.Removed = append(s.out.Removed, line)
		case it.gone:
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
	s.Log.InfoContext(ctx, "sweep ended", "dryRun", s.dry,
		"Sweeps", whole, "Environments", s.out.Environments, "Ended", len(s.out.Ended),
		"Leaks", len(s.out.Leaks), "Removed", len(s.out.Removed), "Left", len(s.out.Left), "Problems", len(s.out.Problems),
		"_aws", metrics(s.Now(), "Count", "Sweeps", "Environments", "Ended", "Leaks", "Removed", "Left", "Problems"))
}
