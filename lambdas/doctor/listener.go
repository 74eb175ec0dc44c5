package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// originPort is where CloudFront reaches the load balancer.
const originPort = 443

// balancer looks at the load balancer, and at what its listener answers to strangers.
func (d *doctor) balancer(ctx context.Context, s *sheet) {
	l, err := d.listener(ctx)
	if code := codeOf(err); code == "ListenerNotFound" || code == "LoadBalancerNotFound" {
		s.fails("listener-missing", "", fmt.Sprintf("There is no listener %s.", d.listenerARN()), "Correct baseline.listeners in the catalog.")
		return
	}
	if err != nil {
		s.unknown("", err)
		return
	}
	b, err := d.loadBalancer(ctx)
	if err != nil {
		s.unknown("", err)
		return
	}
	name := aws.ToString(b.LoadBalancerName)
	s.good("%s is internal, and answers what nobody asked for with 404", name)
	if b.Type != "" && b.Type != types.LoadBalancerTypeEnumApplication {
		s.fails("not-application", name, fmt.Sprintf("It is a %s load balancer; previews are told apart by host and path.", b.Type),
			"Name the listener of an Application Load Balancer in baseline.listeners.")
		return
	}
	if b.Scheme != types.LoadBalancerSchemeEnumInternal {
		s.fails("not-internal", name, "It faces the internet: an expired preview would be answered around the edge.",
			"Make an internal one (aws elbv2 create-load-balancer --scheme internal …): AWS does not change the scheme of one that is there.")
	}
	if !d.Local && (l.Protocol != types.ProtocolEnumHttps || aws.ToInt32(l.Port) != originPort) {
		s.fails("not-https", name, fmt.Sprintf("The listener speaks %s on port %d; CloudFront asks by HTTPS on %d.", l.Protocol, aws.ToInt32(l.Port), originPort),
			fmt.Sprintf("aws elbv2 create-listener --load-balancer-arn %s --protocol HTTPS --port %d --certificates CertificateArn=…", aws.ToString(b.LoadBalancerArn), originPort))
	}
	if !refuses(l.DefaultActions) {
		s.fails("default-action", name, "The listener's default action is not a fixed 404: a host without an environment would be shown what it leads to.",
			fmt.Sprintf("aws elbv2 modify-listener --listener-arn %s --default-actions 'Type=fixed-response,FixedResponseConfig={StatusCode=404,ContentType=text/plain}'", d.listenerARN()))
	}
}

// refuses tells whether actions are a fixed 404.
func refuses(actions []types.Action) bool {
	return len(actions) == 1 && actions[0].Type == types.ActionTypeEnumFixedResponse &&
		actions[0].FixedResponseConfig != nil && aws.ToString(actions[0].FixedResponseConfig.StatusCode) == "404"
}

// soon is how long before its end a certificate is worth a word: ACM renews at 60
// days (docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html).
const soon = 30 * 24 * time.Hour

// listenerCertificate looks for one that covers the baseline's host: CloudFront
// connects to no other.
func (d *doctor) listenerCertificate(ctx context.Context, s *sheet) {
	l, err := d.listener(ctx)
	if err != nil {
		s.unknown("", err)
		return
	}
	if l.Protocol != types.ProtocolEnumHttps {
		s.good("a listener without HTTPS has none")
		return
	}
	host := d.Catalog.Baseline.Host
	arn := d.listenerARN()
	pages := elb.NewDescribeListenerCertificatesPaginator(d.ELB, &elb.DescribeListenerCertificatesInput{ListenerArn: &arn})
	covered, unread := false, false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.unknown("", err)
			return
		}
		for _, c := range page.Certificates {
			detail, err := certificate(ctx, d.ACM, aws.ToString(c.CertificateArn))
			if err != nil {
				s.unknown("", err)
				unread = true
				continue
			}
			if covers(detail, host) {
				covered = true
				d.lasts(s, detail)
			}
		}
	}
	s.good("covers %s", host)
	if !covered && !unread {
		s.fails("certificate-misses-host", host, fmt.Sprintf("No certificate of the listener covers %s: CloudFront would answer 502.", host),
			fmt.Sprintf("aws elbv2 add-listener-certificates --listener-arn %s --certificates CertificateArn=…", arn))
	}
}

// lasts warns of a certificate that ends soon.
func (d *doctor) lasts(s *sheet, c *acmtypes.CertificateDetail) {
	if c.NotAfter != nil && c.NotAfter.Before(d.Now().Add(soon)) {
		s.warns("certificate-expires", aws.ToString(c.DomainName), fmt.Sprintf("It ends on %s.", c.NotAfter.Format("2 Jan 2006")),
			fmt.Sprintf("aws acm describe-certificate --certificate-arn %s says why it is not renewed.", aws.ToString(c.CertificateArn)))
	}
}

func certificate(ctx context.Context, client *acm.Client, arn string) (*acmtypes.CertificateDetail, error) {
	out, err := client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if err != nil {
		return nil, err
	}
	return out.Certificate, nil
}

// covers tells whether a certificate is valid for a host; a wildcard stands for one
// label.
func covers(c *acmtypes.CertificateDetail, host string) bool {
	_, rest, _ := strings.Cut(host, ".")
	for _, name := range append([]string{aws.ToString(c.DomainName)}, c.SubjectAlternativeNames...) {
		if strings.EqualFold(name, host) || strings.EqualFold(name, "*."+rest) {
			return true
		}
	}
	return false
}
