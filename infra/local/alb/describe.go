package alb

import (
	"encoding/xml"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Service is what AWS clients sign for when they call ELBv2.
const Service = "elasticloadbalancing"

// Attach has the edge tell this load balancer of changes at once, and clients how
// healthy targets are. rewrite is given the operation and what is to be done to
// its successful answers.
func (b *Balancer) Attach(rewrite func(service, operation string, f func(request, response []byte) []byte)) {
	rewrite(Service, "DescribeTargetHealth", b.DescribeTargetHealth)
	for _, operation := range []string{"RegisterTargets", "DeregisterTargets"} {
		rewrite(Service, operation, func(request, response []byte) []byte {
			if form, err := url.ParseQuery(string(request)); err == nil {
				b.nudge(form.Get("TargetGroupArn"))
			}
			return response
		})
	}
	for _, operation := range []string{"CreateListener", "ModifyListener", "DeleteListener", "CreateRule", "ModifyRule",
		"DeleteRule", "SetRulePriorities", "CreateTargetGroup", "ModifyTargetGroup", "DeleteTargetGroup"} {
		rewrite(Service, operation, func(_, response []byte) []byte {
			b.nudge()
			return response
		})
	}
}

// Healthy tells the state of a target in ELBv2's words.
func (b *Balancer) Healthy(targetGroup, id string, port int) (state, reason, description string) {
	h := notInUse
	if g := b.table.Load().groups[targetGroup]; g != nil {
		h, _ = g.healthOf(address{id, port})
	}
	return string(h.state), string(h.reason), h.description
}

type describeTargetHealth struct {
	XMLName xml.Name     `xml:"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/ DescribeTargetHealthResponse"`
	Targets []targetView `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
	Request string       `xml:"ResponseMetadata>RequestId"`
}

type targetView struct {
	HealthCheckPort string `xml:"HealthCheckPort,omitempty"`
	Target          struct {
		ID   string `xml:"Id"`
		Port int    `xml:"Port"`
	} `xml:"Target"`
	Health healthView `xml:"TargetHealth"`
}

type healthView struct {
	State       types.TargetHealthStateEnum  `xml:"State"`
	Reason      types.TargetHealthReasonEnum `xml:"Reason,omitempty"`
	Description string                       `xml:"Description,omitempty"`
}

func show(h health) healthView { return healthView{h.state, h.reason, h.description} }

// DescribeTargetHealth puts the states that the checks found into the emulator's
// answer, to which every registered target is healthy, and adds those that drain.
// The answer for a group of another load balancer stays as it is.
func (b *Balancer) DescribeTargetHealth(request, response []byte) []byte {
	form, err := url.ParseQuery(string(request))
	var answer describeTargetHealth
	if err != nil || xml.Unmarshal(response, &answer) != nil {
		return response
	}
	arn, t := form.Get("TargetGroupArn"), b.table.Load()
	if t.others[arn] {
		return response
	}
	g := t.groups[arn]
	asked := form.Has("Targets.member.1.Id")
	for i := range answer.Targets {
		v := &answer.Targets[i]
		v.Health = viewOf(g, v)
	}
	if g != nil && !asked {
		for _, a := range g.leaving() {
			v := targetView{HealthCheckPort: strconv.Itoa(a.port), Health: show(draining)}
			v.Target.ID, v.Target.Port = a.id, a.port
			answer.Targets = append(answer.Targets, v)
		}
	}
	changed, err := xml.Marshal(answer)
	if err != nil {
		return response
	}
	return append([]byte(xml.Header), changed...)
}

func viewOf(g *group, v *targetView) healthView {
	registered := v.Health.State == types.TargetHealthStateEnumHealthy
	v.HealthCheckPort = strconv.Itoa(v.Target.Port)
	if g == nil {
		if registered {
			return show(notInUse)
		}
		return show(notRegistered)
	}
	h, known := g.healthOf(address{v.Target.ID, v.Target.Port})
	switch {
	case known:
		return show(h)
	case registered: // since the last reading
		return show(registering)
	}
	return show(notRegistered)
}
