package catalog

import (
	"strings"
	"testing"
)

func TestThePrefixIsOfNothingElse(t *testing.T) {
	for rule, c := range map[string]struct{ old, with, prefix, want string }{
		"one that nothing begins with is taken":     {"cluster: staging", "cluster: staging", "pv", ""},
		"one that a name merely begins with, too":   {"clone: staging-orders", "clone: pvorders", "pv", ""},
		"that of a queue of the baseline":           {"clone: staging-orders", "clone: pv-orders", "pv", `"pv" begins the name "pv-orders" of the baseline (queues.orders.clone)`},
		"that of a service of the baseline":         {"ecsService: service2", "ecsService: pv-service2", "pv", `(services.service2.ecsService)`},
		"that of the cluster":                       {"cluster: staging", "cluster: pv-staging", "pv", `(baseline.cluster)`},
		"that of the cluster, given by its ARN":     {"cluster: staging", "cluster: arn:aws:ecs:eu-west-1:123456789012:cluster/pv-staging", "pv", `(baseline.cluster)`},
		"the name itself":                           {"cluster: staging", "cluster: pv", "pv", `"pv" begins the name "pv" of the baseline`},
		"one in which that of the baseline's nests": {"clone: staging-orders", "clone: pv-orders", "pv-b", ""},
	} {
		t.Run(rule, func(t *testing.T) {
			good := installed(t)
			if !strings.Contains(good, c.old) {
				t.Fatalf("the good catalog has no %q", c.old)
			}
			parse(t, strings.NewReplacer("prefix: pv", "prefix: "+c.prefix, c.old, c.with).Replace(good), c.want)
		})
	}
}
