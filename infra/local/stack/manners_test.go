package stack

import (
	"fmt"
	"testing"

	"previewenv/infra/local/manner"
)

func TestSomeServicesAreRefusedOnceAfterTheirRule(t *testing.T) {
	refused := func(seed uint64) (first, second []int) {
		ask := lateServices(&manner.Manners{Seed: seed, Factor: 1})
		for i := range 60 {
			request := fmt.Appendf(nil, `{"serviceName":"s","loadBalancers":[{"targetGroupArn":"arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/pv-%d/abc"}]}`, i)
			if r := ask(request); r != nil {
				first = append(first, i)
				if r.Code != "InvalidParameterException" {
					t.Errorf("it is refused as %+v", r)
				}
			}
			if ask(request) != nil {
				second = append(second, i)
			}
		}
		return first, second
	}
	first, second := refused(1)
	if len(first) < 8 || len(first) > 32 || len(second) > 0 {
		t.Errorf("of 60 services %v are refused, and again %v", first, second)
	}
	if again, _ := refused(1); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("the same seed refuses %v, then %v", first, again)
	}
	ask := lateServices(&manner.Manners{Seed: 1, Factor: 1})
	if r := ask([]byte(`{"serviceName":"worker"}`)); r != nil {
		t.Errorf("a service without a load balancer is refused: %+v", r)
	}
}
