package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	// originGroup is the security group that CloudFront makes with the first VPC origin.
	originGroup = "CloudFront-VPCOrigins-Service-SG"
	// originPrefix is the managed prefix list of CloudFront, which is there before.
	originPrefix = "com.amazonaws.global.cloudfront.origin-facing"
)

// noOrigins are the zones, by id, that have no VPC origins
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
var noOrigins = []string{"use1-az3", "usw1-az2", "apne1-az3", "cac1-az3"}

// noARM is the zone, by id, without Fargate on ARM.
const noARM = "use1-az3"

// network looks at the way from CloudFront to the load balancer.
func (d *doctor) network(ctx context.Context, s *sheet) {
	b, err := d.loadBalancer(ctx)
	if err != nil {
		s.unknown("", err)
		return
	}
	s.good("CloudFront reaches %s in %d zones", aws.ToString(b.LoadBalancerName), len(b.AvailabilityZones))
	d.zones(ctx, s, b)
	d.gateway(ctx, s, b)
	d.ingress(ctx, s, b)
	d.taskZones(ctx, s)
}

// zones looks for those that have no VPC origins.
func (d *doctor) zones(ctx context.Context, s *sheet, b elbtypes.LoadBalancer) {
	var subnets []string
	for _, zone := range b.AvailabilityZones {
		subnets = append(subnets, aws.ToString(zone.SubnetId))
	}
	found, err := d.ec2(ctx, "DescribeSubnets", listed("SubnetId", subnets))
	if err != nil {
		s.unknown("", err)
		return
	}
	for _, subnet := range found.Subnets {
		if slices.Contains(noOrigins, subnet.ZoneID) {
			rest := slices.DeleteFunc(slices.Clone(subnets), func(id string) bool { return id == subnet.ID })
			s.fails("zone-without-origins", subnet.ID,
				fmt.Sprintf("The load balancer is in %s, which is %s in this account: VPC origins are not there.", subnet.Zone, subnet.ZoneID),
				fmt.Sprintf("aws elbv2 set-subnets --load-balancer-arn %s --subnets %s and one of another zone", aws.ToString(b.LoadBalancerArn), strings.Join(rest, " ")))
		}
	}
}

// gateway looks for the internet gateway that a VPC with origins must have, though
// nothing is routed to it.
func (d *doctor) gateway(ctx context.Context, s *sheet, b elbtypes.LoadBalancer) {
	vpc := aws.ToString(b.VpcId)
	found, err := d.ec2(ctx, "DescribeInternetGateways", filtered("attachment.vpc-id", vpc))
	switch {
	case err != nil:
		s.unknown("", err)
	case len(found.Gateways) == 0:
		s.fails("no-internet-gateway", vpc, "The VPC has no internet gateway: CloudFront refuses a VPC origin there, though it routes nothing by it.",
			fmt.Sprintf("aws ec2 create-internet-gateway, then aws ec2 attach-internet-gateway --vpc-id %s --internet-gateway-id igw-…", vpc))
	}
}

// ingress looks for a rule that lets CloudFront in.
func (d *doctor) ingress(ctx context.Context, s *sheet, b elbtypes.LoadBalancer) {
	groups, err := d.ec2(ctx, "DescribeSecurityGroups", listed("GroupId", b.SecurityGroups))
	if err != nil {
		s.unknown("", err)
		return
	}
	lists, err := d.ec2(ctx, "DescribeManagedPrefixLists", filtered("prefix-list-name", originPrefix))
	if err != nil {
		s.unknown("", err)
		return
	}
	origins, err := d.ec2(ctx, "DescribeSecurityGroups", filtered("vpc-id", aws.ToString(b.VpcId), "group-name", originGroup))
	if err != nil {
		s.unknown("", err)
		return
	}
	sources := append([]string{"0.0.0.0/0"}, lists.PrefixLists...)
	for _, g := range origins.Groups {
		sources = append(sources, g.ID)
	}
	for _, g := range groups.Groups {
		for _, rule := range g.Ingress {
			if rule.admits(sources) {
				return
			}
		}
	}
	list := "pl-…"
	if len(lists.PrefixLists) > 0 {
		list = lists.PrefixLists[0]
	}
	s.fails("closed-to-cloudfront", strings.Join(b.SecurityGroups, ", "),
		fmt.Sprintf("No security group of the load balancer lets CloudFront in on port %d: every path of a backend would be a 504.", originPort),
		fmt.Sprintf("aws ec2 authorize-security-group-ingress --group-id <one of its own: the list counts as 55 of 60 rules> --ip-permissions 'IpProtocol=tcp,FromPort=%d,ToPort=%d,PrefixListIds=[{PrefixListId=%s}]'",
			originPort, originPort, list))
}

// admits tells whether a rule lets one of the sources in on the origin's port.
func (i ingress) admits(sources []string) bool {
	port := i.Protocol == "-1" || i.Protocol == "tcp" && i.From != nil && i.To != nil && *i.From <= originPort && originPort <= *i.To
	return port && slices.ContainsFunc(sources, func(source string) bool {
		return slices.Contains(i.Ranges, source) || slices.Contains(i.PrefixLists, source) || slices.Contains(i.Groups, source)
	})
}

// taskZones looks for subnets in which ARM tasks do not start.
func (d *doctor) taskZones(ctx context.Context, s *sheet) {
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		if err != nil {
			s.unknown(name, err)
			return
		}
		network := b.clone.Service.NetworkConfiguration
		if d.architecture(name) != ecstypes.CPUArchitectureArm64 || !onFargate(b) || network == nil || network.AwsvpcConfiguration == nil {
			return
		}
		found, err := d.ec2(ctx, "DescribeSubnets", listed("SubnetId", network.AwsvpcConfiguration.Subnets))
		if err != nil {
			s.unknown(name, err)
			return
		}
		for _, subnet := range found.Subnets {
			if subnet.ZoneID == noARM {
				s.warns("zone-without-arm", name, fmt.Sprintf("Its subnet %s is in %s, where Fargate has no ARM: a task that is placed there does not start.", subnet.ID, noARM),
					"Take that subnet out of the service of the baseline.")
			}
		}
	})
}
