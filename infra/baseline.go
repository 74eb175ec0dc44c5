package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/jsii-runtime-go"
)

// makeBaseline takes what the catalog names. Nothing is looked up in the account, so
// that a synthesis is the same on every machine.
func (p *previews) makeBaseline() error {
	if p.sample {
		return p.makeSample()
	}
	in, base := p.catalog.Installation, p.catalog.Baseline
	p.baseline = baseline{
		cluster: base.Cluster[strings.LastIndex(base.Cluster, "/")+1:], listener: base.Listeners[0], host: base.Host,
		certificate: in.Certificate,
		balancer: elb.ApplicationLoadBalancer_FromApplicationLoadBalancerAttributes(p.stack, jsii.String("LoadBalancer"),
			&elb.ApplicationLoadBalancerAttributes{
				LoadBalancerArn:     jsii.String(loadBalancerOf(base.Listeners[0])),
				LoadBalancerDnsName: jsii.String(base.Host),
				SecurityGroupId:     jsii.String("sg-00000000000000000"), // not used: the platform team admits CloudFront
			}),
		zone: awsroute53.HostedZone_FromHostedZoneAttributes(p.stack, jsii.String("Zone"), &awsroute53.HostedZoneAttributes{
			HostedZoneId: &in.HostedZone.ID, ZoneName: &in.HostedZone.Name,
		}),
	}
	return nil
}

// loadBalancerOf is the ARN of a listener's load balancer, which it contains.
func loadBalancerOf(listener string) string {
	arn := strings.Replace(listener, ":listener/", ":loadbalancer/", 1)
	return arn[:strings.LastIndex(arn, "/")]
}

// rules are the ARNs of all rules of the listener. The sample's ARN is known only
// when it is deployed, so that CloudFormation does the replacing.
func (b baseline) rules() string {
	parts := awscdk.Fn_Split(jsii.String(":listener/"), &b.listener, jsii.Number(2))
	return *awscdk.Fn_Join(jsii.String(":listener-rule/"), parts) + "/*"
}
