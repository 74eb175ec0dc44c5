package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/baseline"
)

// rules looks at the bands: what stands before the overrides, and what they fall
// back to.
func (d *doctor) rules(ctx context.Context, s *sheet) {
	all, err := d.allRules(ctx)
	if err != nil {
		s.unknown("", err)
		return
	}
	bands := d.Catalog.Baseline.Priorities
	var before []int
	for _, r := range all {
		if n := number(r); n < bands.Overrides[0] {
			before = append(before, n)
		}
		d.shadow(s, r)
	}
	s.good("%d stand before the overrides, and every service has its fallback", len(before))
	d.gaps(s, before)
	d.fallbacks(ctx, s)
}

// gaps looks for free numbers before the baseline's last rule: whoever may create
// rules could take the baseline's traffic there.
func (d *doctor) gaps(s *sheet, numbers []int) {
	for i, n := range numbers {
		if n == i+1 {
			continue
		}
		var moves []string
		for j, m := range numbers {
			if m != j+1 {
				moves = append(moves, fmt.Sprintf("%d to %d", m, j+1))
			}
		}
		s.warns("gap", fmt.Sprint(i+1), fmt.Sprintf("The number %d is free, and the baseline has rules behind it: a rule there would come first.", i+1),
			"aws elbv2 set-rule-priorities closes it: move "+strings.Join(moves[:min(len(moves), 5)], ", ")+".")
		return
	}
}

// fallbacks looks for the shared rule of every path of the catalog.
func (d *doctor) fallbacks(ctx context.Context, s *sheet) {
	bands := d.Catalog.Baseline.Priorities
	shared, err := d.read.Fallbacks(ctx, d.listenerARN(), bands.Fallbacks)
	if err != nil {
		s.unknown("", err)
		return
	}
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		group := aws.ToString(b.TargetGroup.TargetGroupArn)
		if err != nil && group == "" {
			s.unknown(name, err)
			return
		}
		paths := d.Catalog.Services[name].Paths
		if f := baseline.CheckFallback(name, paths, group, shared); f != nil {
			s.fails("no-fallback", name, f.What, fmt.Sprintf(
				"aws elbv2 create-rule --listener-arn %s --priority <%d to %d> --conditions Field=path-pattern,Values=%s --actions Type=forward,TargetGroupArn=%s",
				d.listenerARN(), bands.Fallbacks[0], bands.Fallbacks[1], strings.Join(paths, ","), group))
		}
	})
}

// shadow says when a rule that is not an override's would come before one, and could
// match the same request.
func (d *doctor) shadow(s *sheet, r types.Rule) {
	n := number(r)
	if n > d.Catalog.Baseline.Priorities.Overrides[1] {
		return
	}
	hosts, paths := valuesOf(r)
	if d.override(hosts, n) {
		return
	}
	hosts, one := d.below(hosts)
	if hosts == nil {
		return
	}
	for _, name := range d.backends() {
		for _, path := range d.Catalog.Services[name].Paths {
			if len(paths) > 0 && !slices.ContainsFunc(paths, func(pattern string) bool { return overlap(pattern, path) }) {
				continue
			}
			if one {
				s.warns("label-taken", fmt.Sprint(n), fmt.Sprintf("The rule %d takes %s before an environment of that name could.", n, strings.Join(hosts, ", ")),
					"Give it a host that is not below "+d.Catalog.BaseDomain+", or keep that name from environments.")
				return
			}
			host := "every host"
			if len(hosts) > 0 {
				host = strings.Join(hosts, ", ")
			}
			s.fails("shadow", fmt.Sprint(n), fmt.Sprintf("The rule %d (%s) comes before the overrides, and takes %s of previews: they would show the baseline.", n, host, path),
				fmt.Sprintf("Give it a host that is not below %s, or a number after %d: aws elbv2 set-rule-priorities --rule-priorities RuleArn=%s,Priority=…",
					d.Catalog.BaseDomain, d.Catalog.Baseline.Priorities.Fallbacks[1], aws.ToString(r.RuleArn)))
			return
		}
	}
}

// below are the patterns that match the host of some environment: none of them is
// nil, and a rule without hosts matches all. one says that each is a single host.
func (d *doctor) below(hosts []string) (matching []string, one bool) {
	if len(hosts) == 0 {
		return []string{}, false
	}
	reserved := d.Catalog.Settings().Reserved()
	one = true
	for _, host := range hosts {
		host = strings.ToLower(host)
		label, _ := strings.CutSuffix(host, "."+d.Catalog.BaseDomain)
		if slices.Contains(reserved, label) || !overlap(host, "?*."+d.Catalog.BaseDomain) {
			continue
		}
		matching = append(matching, host)
		one = one && !strings.ContainsAny(host, "*?")
	}
	return matching, one
}

// override tells whether a rule is one that this suite makes: in the band, for
// exactly one environment.
func (d *doctor) override(hosts []string, n int) bool {
	if n < d.Catalog.Baseline.Priorities.Overrides[0] || len(hosts) != 1 {
		return false
	}
	label, ok := strings.CutSuffix(hosts[0], "."+d.Catalog.BaseDomain)
	return ok && catalog.ValidLabel(label)
}

// valuesOf are the host and path patterns of a rule. What else it asks for may be
// so for any request.
func valuesOf(r types.Rule) (hosts, paths []string) {
	for _, c := range r.Conditions {
		switch aws.ToString(c.Field) {
		case "host-header":
			hosts = c.Values
			if c.HostHeaderConfig != nil {
				hosts = c.HostHeaderConfig.Values
			}
		case "path-pattern":
			paths = c.Values
			if c.PathPatternConfig != nil {
				paths = c.PathPatternConfig.Values
			}
		}
	}
	return hosts, paths
}

// overlap tells whether some text matches both patterns, in which * stands for any
// text and ? for one character.
func overlap(a, b string) bool {
	switch {
	case a == "" && b == "":
		return true
	case a != "" && a[0] == '*':
		return overlap(a[1:], b) || b != "" && overlap(a, b[1:])
	case b != "" && b[0] == '*':
		return overlap(a, b[1:]) || a != "" && overlap(a[1:], b)
	case a == "" || b == "":
		return false
	}
	return (a[0] == '?' || b[0] == '?' || a[0] == b[0]) && overlap(a[1:], b[1:])
}
