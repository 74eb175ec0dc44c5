package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	connectiontypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// connection looks whether the one to GitHub was ever completed.
func (d *doctor) connection(ctx context.Context, s *sheet) {
	arn := d.Catalog.Installation.Connection
	out, err := d.Connections.GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: &arn})
	switch {
	case codeOf(err) == "ResourceNotFoundException":
		s.fails("connection-missing", "", fmt.Sprintf("There is no connection %s.", arn),
			"aws codeconnections create-connection --provider-type GitHub --connection-name …, complete it in the console, and put its ARN into the catalog.")
	case err != nil:
		s.unknown("", err)
	case out.Connection.ConnectionStatus != connectiontypes.ConnectionStatusAvailable:
		s.fails("connection-not-available", "", fmt.Sprintf("It is %s: nobody has completed it.", out.Connection.ConnectionStatus),
			"Complete it in the console (Developer Tools, Settings, Connections): AWS has no command for that.")
	default:
		s.good("%s is available", aws.ToString(out.Connection.ConnectionName))
	}
}

// edgeCertificate looks at the one of *.<base domain>.
func (d *doctor) edgeCertificate(ctx context.Context, s *sheet) {
	arn, wildcard := d.Catalog.Installation.Certificate, "*."+d.Catalog.BaseDomain
	do := fmt.Sprintf("aws acm request-certificate --domain-name '%s' --validation-method DNS --region us-east-1, and put its ARN into the catalog.", wildcard)
	c, err := certificate(ctx, d.EdgeACM, arn)
	switch {
	case codeOf(err) == "ResourceNotFoundException":
		s.fails("edge-certificate-missing", "", fmt.Sprintf("There is no certificate %s.", arn), do)
	case err != nil:
		s.unknown("", err)
	case !covers(c, "x."+d.Catalog.BaseDomain):
		s.fails("edge-certificate-misses-domain", aws.ToString(c.DomainName), fmt.Sprintf("It does not cover %s.", wildcard), do)
	case c.Status != acmtypes.CertificateStatusIssued:
		s.fails("edge-certificate-not-issued", aws.ToString(c.DomainName), fmt.Sprintf("It is %s.", c.Status),
			fmt.Sprintf("aws acm describe-certificate --certificate-arn %s --region us-east-1 shows the DNS records that it waits for.", arn))
	default:
		s.good("covers %s", wildcard)
		d.lasts(s, c)
	}
}

// names looks at the hosted zone, and at what stands there for the wildcard.
func (d *doctor) names(ctx context.Context, s *sheet) {
	zone := d.Catalog.Installation.HostedZone
	out, err := d.Route53.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &zone.ID})
	if codeOf(err) == "NoSuchHostedZone" {
		s.fails("zone-missing", zone.ID, "There is no such hosted zone.", fmt.Sprintf("aws route53 list-hosted-zones-by-name --dns-name %s shows its id.", zone.Name))
		return
	}
	if err != nil {
		s.unknown("", err)
		return
	}
	name := strings.TrimSuffix(aws.ToString(out.HostedZone.Name), ".")
	s.good("*.%s is free or CloudFront's, in the zone %s", d.Catalog.BaseDomain, name)
	if name != zone.Name {
		s.fails("zone-of-another-name", zone.ID, fmt.Sprintf("It is that of %s, not of %s.", name, zone.Name), "Correct installation.hostedZone in the catalog.")
		return
	}
	if c := out.HostedZone.Config; c != nil && c.PrivateZone {
		s.fails("zone-private", name, "It is a private zone: nobody outside the VPC would find a preview.", "Name the public zone in installation.hostedZone.")
		return
	}
	if out.DelegationSet != nil {
		d.delegated(ctx, s, name, out.DelegationSet.NameServers)
	}
	d.wildcard(ctx, s, zone.ID)
}

// delegated asks the world for the zone's name servers.
func (d *doctor) delegated(ctx context.Context, s *sheet, zone string, servers []string) {
	found, err := d.LookupNS(ctx, zone)
	for _, ns := range found {
		if slices.Contains(servers, strings.TrimSuffix(ns.Host, ".")) {
			return
		}
	}
	seen := "The world is not led to this zone"
	if err != nil {
		seen = "The name servers of " + zone + " could not be looked up"
	}
	s.warns("zone-not-delegated", zone, seen+": its name servers are "+strings.Join(servers, ", ")+".", "Enter those where the domain is registered, or at the zone above.")
}

// wildcard looks whether the name that the edge needs is taken by something else.
func (d *doctor) wildcard(ctx context.Context, s *sheet, zone string) {
	// Route 53 writes an asterisk so. It sorts it first among the names below one.
	name := `\052.` + d.Catalog.BaseDomain + "."
	out, err := d.Route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: &d.Catalog.BaseDomain})
	if err != nil {
		s.unknown("", err)
		return
	}
	for _, record := range out.ResourceRecordSets {
		if strings.ReplaceAll(aws.ToString(record.Name), "*", `\052`) != name {
			continue
		}
		alias := record.AliasTarget != nil && strings.HasSuffix(strings.TrimSuffix(aws.ToString(record.AliasTarget.DNSName), "."), ".cloudfront.net")
		if alias || !slices.Contains([]types.RRType{types.RRTypeA, types.RRTypeAaaa, types.RRTypeCname}, record.Type) {
			continue
		}
		s.fails("wildcard-taken", "*."+d.Catalog.BaseDomain, fmt.Sprintf("There is a record of type %s already, which is not CloudFront's: the deployment would fail at it.", record.Type),
			fmt.Sprintf("Remove it (aws route53 change-resource-record-sets --hosted-zone-id %s …), or choose another baseDomain.", zone))
		return
	}
}

// bootstrap looks for what cdk bootstrap leaves
// (docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html).
func (d *doctor) bootstrap(ctx context.Context, s *sheet) {
	out, err := d.SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/cdk-bootstrap/hnb659fds/version")})
	switch {
	case codeOf(err) == "ParameterNotFound":
		s.fails("not-bootstrapped", d.account+"/"+d.region, "The CDK has not been here: make deploy would fail at once.",
			fmt.Sprintf("infra/node_modules/.bin/cdk bootstrap aws://%s/%s", d.account, d.region))
	case err != nil:
		s.unknown("", err)
	default:
		s.good("version %s", aws.ToString(out.Parameter.Value))
	}
}
