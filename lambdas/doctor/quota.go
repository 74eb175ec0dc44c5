package doctor

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"previewenv/lambdas/internal/baseline"
)

// room counts what is free of the load balancer, as every provision does.
func (d *doctor) room(ctx context.Context, s *sheet) {
	base := d.Catalog.Baseline
	places, err := d.read.Places(ctx, d.listenerARN(), d.Prefix, base.Priorities.Overrides)
	if err != nil {
		s.unknown("", err)
		return
	}
	one := len(d.backends())
	s.good("%s, %s", filled(places.TargetGroups, "target groups"), filled(places.Rules, "rules"))
	for _, p := range []struct {
		noun, do string
		place    baseline.Place
	}{
		{"target groups", "That quota is fixed: move something to another load balancer.", places.TargetGroups},
		{"rules", "Ask for more (\"Rules per Application Load Balancer\"): aws service-quotas list-service-quotas --service-code elasticloadbalancing " +
			"names its code, aws service-quotas request-service-quota-increase asks.", places.Rules},
	} {
		left := free(p.place)
		switch most := d.Catalog.Limits.Environments; {
		case p.place.Limit == 0 || one == 0:
		case left < one:
			s.fails("no-room", p.noun, fmt.Sprintf("%d of %d are taken, and one environment of all services takes %d.", p.place.Limit-left, p.place.Limit, one), p.do)
		case most*one > left+p.place.Ours:
			s.warns("little-room", p.noun, fmt.Sprintf("The catalog allows %d environments of up to %d services, and there is room for %d services.", most, one, left+p.place.Ours),
				"Lower limits.environments. "+p.do)
		}
	}
}

// filled is how full a place is, in words.
func filled(p baseline.Place, noun string) string {
	if p.Limit == 0 {
		return fmt.Sprintf("%d %s and no limit", taken(p), noun)
	}
	return fmt.Sprintf("%d of %d %s", taken(p), p.Limit, noun)
}

func taken(p baseline.Place) int { return p.Ours + p.Others }

// free is how many more fit; an unknown limit is none.
func free(p baseline.Place) int { return max(0, p.Limit-taken(p)) }

// buildQuotas are the codes of CodeBuild's quotas "Concurrently running builds for
// ARM/Small environment" and that for Linux/Small.
var buildQuotas = map[types.CPUArchitecture]string{
	types.CPUArchitectureArm64: "L-5ED1D25B", types.CPUArchitectureX8664: "L-9D07B6EF",
}

// buildQuota compares how many builds run at once with those of one environment: the
// others wait in CodeBuild's queue. New accounts start with one.
func (d *doctor) buildQuota(ctx context.Context, s *sheet) {
	wanted := map[types.CPUArchitecture]int{}
	for name := range d.Catalog.Services {
		wanted[d.architecture(name)]++
	}
	for architecture, builds := range wanted {
		code := buildQuotas[architecture]
		out, err := d.Quotas.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("codebuild"), QuotaCode: &code})
		if err != nil {
			s.unknown(string(architecture), err)
			continue
		}
		s.good("the account runs %d at once", int(aws.ToFloat64(out.Quota.Value)))
		if have := int(aws.ToFloat64(out.Quota.Value)); have < builds {
			s.warns("few-builds-at-once", string(architecture), fmt.Sprintf("The account runs %d small builds at once, and an environment of all services needs %d: the rest waits.", have, builds),
				fmt.Sprintf("aws service-quotas request-service-quota-increase --service-code codebuild --quota-code %s --desired-value %d --region %s", code, max(10, builds), d.region))
		}
	}
}
