package kind

import (
	"regexp"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	const limit = 32
	for rule, parts := range map[string][2][]string{
		"labels and services that read alike":  {{"pv", "pr1", "x-service2", "1"}, {"pv", "pr1-x", "service2", "1"}},
		"installations whose prefixes nest":    {{"pv", "b-pr1", "service2", "1"}, {"pv-b", "pr1", "service2", "1"}},
		"lives of one label":                   {{"pv", "pr1", "service2", "1"}, {"pv", "pr1", "service2", "2"}},
		"long names that differ behind a cut":  {{"pv", "pr1", strings.Repeat("service-", 9) + "a", "1"}, {"pv", "pr1", strings.Repeat("service-", 9) + "b", "1"}},
		"an incarnation and the end of a name": {{"pv", "pr1", "service", "1-1"}, {"pv", "pr1", "service-1", "1"}},
	} {
		t.Run(rule, func(t *testing.T) {
			one, other := Name(limit, parts[0]...), Name(limit, parts[1]...)
			if one == other {
				t.Errorf("both are named %s", one)
			}
			for i, name := range []string{one, other} {
				// What ELBv2 takes, which is the least of all.
				if !regexp.MustCompile(`^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$`).MatchString(name) || strings.Contains(name, "--") {
					t.Errorf("%q is no name of a target group", name)
				}
				if !strings.HasPrefix(name, parts[i][0]+"-") {
					t.Errorf("%q does not begin with the prefix %s", name, parts[i][0])
				}
			}
			if one != Name(limit, parts[0]...) {
				t.Error("it is another name the second time")
			}
		})
	}
	if name := Name(limit, "pv", "pr1", "service1", "1"); !strings.HasPrefix(name, "pv-pr1-service1-1-") {
		t.Errorf("a short name is %q, which nobody can read", name)
	}
}
