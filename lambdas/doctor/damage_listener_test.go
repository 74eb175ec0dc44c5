package doctor

import (
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestADamagedListenerIsNamed(t *testing.T) { findsOnly(t, listenerDamages) }

func TestADamagedNetworkIsNamed(t *testing.T) { findsOnly(t, networkDamages) }

var listenerDamages = []damage{
	{"a listener that is not there", "listener-missing", func(w *world) func() {
		w.catalog.Baseline.Listeners[0] = w.listener[:len(w.listener)-4] + "0000"
		return func() { w.catalog.Baseline.Listeners[0] = w.listener }
	}},
	{"a load balancer that faces the internet", "not-internal", func(w *world) func() {
		return w.edit("DescribeLoadBalancers", func(out any) {
			out.(*elb.DescribeLoadBalancersOutput).LoadBalancers[0].Scheme = types.LoadBalancerSchemeEnumInternetFacing
		})
	}},
	{"a load balancer that knows no hosts", "not-application", func(w *world) func() {
		return w.edit("DescribeLoadBalancers", func(out any) {
			out.(*elb.DescribeLoadBalancersOutput).LoadBalancers[0].Type = types.LoadBalancerTypeEnumNetwork
		})
	}},
	{"a listener without HTTPS", "not-https", func(w *world) func() {
		return w.edit("DescribeListeners", func(out any) {
			for i := range out.(*elb.DescribeListenersOutput).Listeners {
				l := &out.(*elb.DescribeListenersOutput).Listeners[i]
				l.Protocol, l.Port = types.ProtocolEnumHttp, aws.Int32(80)
			}
		})
	}},
	{"a default action that forwards", "default-action", func(w *world) func() {
		group := w.groups["service1"]
		w.modify(&elb.ModifyListenerInput{DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}}})
		return func() { w.modify(&elb.ModifyListenerInput{DefaultActions: refusal("404")}) }
	}},
	{"a default action that says all is well", "default-action", func(w *world) func() {
		w.modify(&elb.ModifyListenerInput{DefaultActions: refusal("200")})
		return func() { w.modify(&elb.ModifyListenerInput{DefaultActions: refusal("404")}) }
	}},
	{"a certificate of another host", "certificate-misses-host", func(w *world) func() {
		return w.certified(w.seedCertificate("www.example.com"))
	}},
	{"a certificate of every host beside it", "", func(w *world) func() {
		return w.certified(w.seedCertificate("*.example.com"))
	}},
	{"a certificate that ends next week", "certificate-expires", func(w *world) func() {
		return w.certified(w.certificate(staging, 7*24*time.Hour))
	}},
	{"a free number before the baseline's rules", "gap", func(w *world) func() {
		w.move(w.rules["service2"], 7)
		return func() { w.move(w.rules["service2"], 2) }
	}},
	{"a service without a fallback", "no-fallback", func(w *world) func() {
		w.unrule(w.shared["service1"])
		return func() {
			w.shared["service1"] = w.rule(40000, nil, []string{"/service1", "/service1/*"}, w.groups["service1"])
		}
	}},
	{"a fallback that lacks a path", "no-fallback", func(w *world) func() {
		s := w.catalog.Services["service1"]
		before := s
		s.Paths = append(append([]string{}, s.Paths...), "/v1/*")
		w.catalog.Services["service1"] = s
		return func() { w.catalog.Services["service1"] = before }
	}},
	{"a fallback to another service", "no-fallback", func(w *world) func() {
		w.forward(w.shared["service1"], w.groups["service2"])
		return func() { w.forward(w.shared["service1"], w.groups["service1"]) }
	}},
	{"a rule of all hosts before the overrides", "shadow", ruled(3, nil, []string{"/service1/*"})},
	{"a rule of a wildcard host before the overrides", "shadow", ruled(3, []string{"*.example.com"}, nil)},
	{"a rule of somebody else among the overrides", "shadow", ruled(2000, []string{"*.preview.example.com"}, []string{"/s*/admin"})},
	{"a rule that takes the name of an environment", "label-taken", ruled(3, []string{"admin.preview.example.com"}, nil)},
	{"a rule of another host", "", ruled(3, []string{"www.example.com"}, nil)},
	{"a rule of all hosts and a path of nobody", "", ruled(3, nil, []string{"/metrics"})},
	{"an environment's own rule", "", ruled(2000, []string{"pr1.preview.example.com"}, []string{"/service1"})},
	{"a rule of all hosts behind the overrides", "", ruled(50000, nil, []string{"/service1/*"})},
	{"a load balancer that is full", "no-room", func(w *world) func() { return w.answered("DescribeAccountLimits", limits("3")) }},
	{"a catalog that promises more than fits", "little-room", func(w *world) func() {
		w.catalog.Limits.Environments = 60
		return func() { w.catalog.Limits.Environments = 30 }
	}},
}

var networkDamages = []damage{
	{"a security group that keeps CloudFront out", "closed-to-cloudfront", func(w *world) func() {
		list := w.query("DescribeManagedPrefixLists", filtered("prefix-list-name", originPrefix)).PrefixLists[0]
		w.ingress("RevokeSecurityGroupIngress", "PrefixListIds.1.PrefixListId", list)
		return func() { w.admit(list) }
	}},
	{"a security group that admits CloudFront's own", "", func(w *world) func() {
		list := w.query("DescribeManagedPrefixLists", filtered("prefix-list-name", originPrefix)).PrefixLists[0]
		w.ingress("RevokeSecurityGroupIngress", "PrefixListIds.1.PrefixListId", list)
		w.query("CreateSecurityGroup", url.Values{"GroupName": {originGroup}, "GroupDescription": {"CloudFront's"}, "VpcId": {w.VPC}})
		own := w.query("DescribeSecurityGroups", filtered("group-name", originGroup)).Groups[0].ID
		w.ingress("AuthorizeSecurityGroupIngress", "Groups.1.GroupId", own)
		return func() {
			w.ingress("RevokeSecurityGroupIngress", "Groups.1.GroupId", own)
			w.admit(list)
		}
	}},
	{"a VPC without an internet gateway", "no-internet-gateway", func(w *world) func() {
		gateways := w.query("DescribeInternetGateways", filtered("attachment.vpc-id", w.VPC)).Gateways
		for _, gateway := range gateways {
			w.query("DetachInternetGateway", url.Values{"InternetGatewayId": {gateway}, "VpcId": {w.VPC}})
		}
		return func() {
			w.query("AttachInternetGateway", url.Values{"InternetGatewayId": {gateways[0]}, "VpcId": {w.VPC}})
		}
	}},
	{"a load balancer in a zone without VPC origins", "zone-without-origins", func(w *world) func() {
		return w.edit("DescribeLoadBalancers", func(out any) {
			zones := out.(*elb.DescribeLoadBalancersOutput).LoadBalancers[0].AvailabilityZones
			zones[0].SubnetId = aws.String(w.subnetIn(noARM))
		})
	}},
	{"a service in a zone without ARM", "zone-without-arm", func(w *world) func() {
		return w.edit("DescribeServices", func(out any) {
			for _, s := range out.(*ecs.DescribeServicesOutput).Services {
				s.NetworkConfiguration.AwsvpcConfiguration.Subnets[0] = w.subnetIn(noARM)
			}
		})
	}},
}

// ruled adds a rule that forwards to service2.
func ruled(priority int, hosts, paths []string) func(*world) func() {
	return func(w *world) func() {
		arn := w.rule(priority, hosts, paths, w.groups["service2"])
		return func() { w.unrule(arn) }
	}
}

func (w *world) modify(in *elb.ModifyListenerInput) {
	w.t.Helper()
	in.ListenerArn = &w.listener
	_, err := w.ELB.ModifyListener(w.t.Context(), in)
	w.must(err)
}

// certified gives the listener another certificate.
func (w *world) certified(arn string) (undo func()) {
	give := func(arn string) {
		w.modify(&elb.ModifyListenerInput{Protocol: types.ProtocolEnumHttps, Certificates: []types.Certificate{{CertificateArn: &arn}}})
	}
	give(arn)
	return func() { give(w.cert) }
}

func (w *world) unrule(arn string) {
	_, err := w.ELB.DeleteRule(w.t.Context(), &elb.DeleteRuleInput{RuleArn: &arn})
	w.must(err)
}

func (w *world) move(rule string, priority int32) {
	_, err := w.ELB.SetRulePriorities(w.t.Context(), &elb.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: &rule, Priority: &priority}}})
	w.must(err)
}

func (w *world) forward(rule, group string) {
	_, err := w.ELB.ModifyRule(w.t.Context(), &elb.ModifyRuleInput{RuleArn: &rule, Actions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}}})
	w.must(err)
}

func (w *world) subnetIn(zone string) string {
	for _, subnet := range w.query("DescribeSubnets", url.Values{}).Subnets {
		if subnet.ZoneID == zone {
			return subnet.ID
		}
	}
	w.t.Fatalf("there is no subnet in %s", zone)
	return ""
}

// ingress changes who may reach the load balancer on its port.
func (w *world) ingress(action, source, id string) {
	w.query(action, url.Values{
		"GroupId": {w.group}, "IpPermissions.1.IpProtocol": {"tcp"}, "IpPermissions.1.FromPort": {"443"}, "IpPermissions.1.ToPort": {"443"},
		"IpPermissions.1." + source: {id},
	})
}

func (w *world) admit(list string) {
	w.ingress("AuthorizeSecurityGroupIngress", "PrefixListIds.1.PrefixListId", list)
}
