package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"
)

const (
	// sampleRegion is where the sample is made: its certificate is the edge's too.
	sampleRegion = "us-east-1"
	// edgePrefixList is com.amazonaws.global.cloudfront.origin-facing in that Region, the
	// same for every account: aws ec2 describe-managed-prefix-lists shows it.
	edgePrefixList = "pl-3b927c52"
)

// lacking are the zones of the sample's Region that have neither VPC origins nor ARM
// for Fargate (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html).
var lacking = []string{"use1-az3"}

// sampleZones reads the ids of two zones. An id is the same place in every account; the
// letter of a zone is not.
func sampleZones(given string) ([]string, error) {
	zones := strings.Split(given, ",")
	for _, zone := range zones {
		if slices.Contains(lacking, zone) {
			return nil, fmt.Errorf("make sample: -c zones=%s: %s has neither VPC origins nor ARM for Fargate; name another, such as use1-az1", given, zone)
		}
		if !strings.HasPrefix(zone, "use1-az") {
			return nil, fmt.Errorf("make sample: -c zones=%s: %q is not the id of a zone of %s, such as use1-az1", given, zone, sampleRegion)
		}
	}
	if slices.Sort(zones); len(slices.Compact(zones)) != 2 {
		return nil, fmt.Errorf("make sample: -c zones=%s: a load balancer lies in two zones; name two", given)
	}
	return zones, nil
}

// presetZones answers beforehand what the library would have the CLI ask the account
// for: which zones there are. It has to be said before there are stacks.
func (s settings) presetZones(app awscdk.App) {
	zones := make([]any, len(s.zones))
	for i, zone := range s.zones {
		zones[i] = zone
	}
	app.Node().SetContext(jsii.String(fmt.Sprintf("availability-zones:account=%s:region=%s", s.account, s.region)), zones)
}

// zonesByID moves the library's subnets from zones by name to zones by id.
func (s *sampleBaseline) zonesByID() {
	for _, subnets := range []*[]awsec2.ISubnet{s.vpc.PublicSubnets(), s.vpc.PrivateSubnets()} {
		for i, subnet := range *subnets {
			resource := subnet.Node().DefaultChild().(awsec2.CfnSubnet)
			resource.AddPropertyDeletionOverride(jsii.String("AvailabilityZone"))
			resource.AddPropertyOverride(jsii.String("AvailabilityZoneId"), s.zones[i])
		}
	}
}
