package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/jsii-runtime-go"

	"previewenv/infra/edge"
)

// mostBehaviors of a distribution, the default one not counted
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html: 75).
const mostBehaviors = 74

// makeEdge makes the one distribution of all environments: the site bucket, and the
// load balancer as a VPC origin behind the paths of the backends, so that neither
// can be reached around it. Both viewer functions stand before both.
func (p *previews) makeEdge() error {
	p.edge.store = awscloudfront.NewKeyValueStore(p.stack, jsii.String("Store"), &awscloudfront.KeyValueStoreProps{
		KeyValueStoreName: jsii.String(p.prefix + "-environments"), Comment: jsii.String("Which environments live, and what they show."),
	})
	functions, err := p.viewerFunctions()
	if err != nil {
		return err
	}
	headers := p.responseHeaders()
	behaviors, err := p.backendBehaviors(functions, headers)
	if err != nil {
		return err
	}
	p.edge.distribution = awscloudfront.NewDistribution(p.stack, jsii.String("Distribution"), &awscloudfront.DistributionProps{
		Comment: jsii.String("Preview environments (" + p.prefix + ")"), DomainNames: jsii.Strings("*." + p.catalog.BaseDomain),
		Certificate: awscertificatemanager.Certificate_FromCertificateArn(p.stack, jsii.String("WildcardCertificate"), &p.baseline.certificate),
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin: awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(p.site, &awscloudfrontorigins.S3BucketOriginWithOACProps{
				// Without the right to list, S3 answers 403 for what is not there.
				OriginAccessLevels: &[]awscloudfront.AccessLevel{awscloudfront.AccessLevel_READ, awscloudfront.AccessLevel_LIST},
			}),
			ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS, Compress: jsii.Bool(true),
			CachePolicy: p.siteCache(), ResponseHeadersPolicy: headers, FunctionAssociations: functions,
		},
		AdditionalBehaviors: &behaviors, DefaultRootObject: jsii.String("index.html"),
		MinimumProtocolVersion: awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021, HttpVersion: awscloudfront.HttpVersion_HTTP2_AND_3,
		PriceClass: awscloudfront.PriceClass_PRICE_CLASS_100, EnableLogging: jsii.Bool(true), LogBucket: p.logs, LogFilePrefix: jsii.String("edge/"),
	})
	awscdk.Annotations_Of(p.edge.distribution).AcknowledgeWarning(jsii.String("@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk"),
		jsii.String("The viewer function rewrites every path, / too, to a file below a prefix."))
	accept(p.edge.distribution, "AwsSolutions-CFR1", "Reviewers work from anywhere; what they may see is no matter of countries.")
	accept(p.edge.distribution, "AwsSolutions-CFR2", "A web application firewall costs more a month than a team's previews; the platform team may attach its own.")
	p.names4and6()
	p.output("Distribution", p.edge.distribution.DistributionId(), "The edge of all environments.")
	return nil
}

// viewerFunctions are the two of infra/edge, as the local stack runs them.
func (p *previews) viewerFunctions() (*[]*awscloudfront.FunctionAssociation, error) {
	settings := edge.Settings{BaseDomain: p.catalog.BaseDomain}
	for name, service := range p.catalog.Services {
		if service.Frontend != nil {
			settings.Frontend, settings.Routing = name, service.Frontend.Routing
		}
	}
	for _, name := range p.backends() {
		settings.Backends = append(settings.Backends, edge.Backend{Name: name, Paths: p.catalog.Services[name].Paths})
	}
	request, response, err := edge.Render(settings)
	if err != nil {
		return nil, err
	}
	function := func(id, code, comment string) awscloudfront.Function {
		return awscloudfront.NewFunction(p.stack, &id, &awscloudfront.FunctionProps{
			Code: awscloudfront.FunctionCode_FromInline(&code), Runtime: awscloudfront.FunctionRuntime_JS_2_0(),
			KeyValueStore: p.edge.store, Comment: &comment,
		})
	}
	return &[]*awscloudfront.FunctionAssociation{
		{EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST, Function: function("ViewerRequest", request, "Refuses hosts without an environment; finds the build of the rest.")},
		{EventType: awscloudfront.FunctionEventType_VIEWER_RESPONSE, Function: function("ViewerResponse", response, "Says which environment, service and commit answered.")},
	}, nil
}

// siteCache keeps what the objects themselves say: pages not at all, assets with a
// hash for ever. The least time is 0, because no-cache holds only for what is above
// it. The rewritten path is the key, so builds never mix.
func (p *previews) siteCache() awscloudfront.CachePolicy {
	return awscloudfront.NewCachePolicy(p.stack, jsii.String("SiteCache"), &awscloudfront.CachePolicyProps{
		CachePolicyName: jsii.String(p.prefix + "-site"), MinTtl: awscdk.Duration_Seconds(jsii.Number(0)),
		DefaultTtl: awscdk.Duration_Seconds(jsii.Number(0)), MaxTtl: awscdk.Duration_Days(jsii.Number(365)),
		EnableAcceptEncodingGzip: jsii.Bool(true), EnableAcceptEncodingBrotli: jsii.Bool(true),
	})
}

func (p *previews) responseHeaders() awscloudfront.ResponseHeadersPolicy {
	return awscloudfront.NewResponseHeadersPolicy(p.stack, jsii.String("Headers"), &awscloudfront.ResponseHeadersPolicyProps{
		ResponseHeadersPolicyName: jsii.String(p.prefix + "-previews"),
		CustomHeadersBehavior: &awscloudfront.ResponseCustomHeadersBehavior{CustomHeaders: &[]*awscloudfront.ResponseCustomHeader{
			{Header: jsii.String("x-robots-tag"), Value: jsii.String("noindex"), Override: jsii.Bool(true)},
		}},
		// Not overriding: an application that says something else is what is reviewed.
		SecurityHeadersBehavior: &awscloudfront.ResponseSecurityHeadersBehavior{
			ContentTypeOptions: &awscloudfront.ResponseHeadersContentTypeOptions{Override: jsii.Bool(true)},
			FrameOptions:       &awscloudfront.ResponseHeadersFrameOptions{FrameOption: awscloudfront.HeadersFrameOption_SAMEORIGIN, Override: jsii.Bool(false)},
			ReferrerPolicy: &awscloudfront.ResponseHeadersReferrerPolicy{
				ReferrerPolicy: awscloudfront.HeadersReferrerPolicy_STRICT_ORIGIN_WHEN_CROSS_ORIGIN, Override: jsii.Bool(false),
			},
			StrictTransportSecurity: &awscloudfront.ResponseHeadersStrictTransportSecurity{
				AccessControlMaxAge: awscdk.Duration_Days(jsii.Number(365)), Override: jsii.Bool(false),
			},
		},
	})
}

// backendBehaviors send each path of a backend to the load balancer, uncached, with
// everything that the viewer sent, the host above all.
func (p *previews) backendBehaviors(functions *[]*awscloudfront.FunctionAssociation, headers awscloudfront.ResponseHeadersPolicy) (map[string]*awscloudfront.BehaviorOptions, error) {
	origin := awscloudfrontorigins.VpcOrigin_WithApplicationLoadBalancer(p.baseline.balancer, &awscloudfrontorigins.VpcOriginWithEndpointProps{
		DomainName: &p.baseline.host, ProtocolPolicy: awscloudfront.OriginProtocolPolicy_HTTPS_ONLY,
		OriginSslProtocols: &[]awscloudfront.OriginSslPolicy{awscloudfront.OriginSslPolicy_TLS_V1_2},
		VpcOriginName:      jsii.String(p.prefix + "-load-balancer"), ReadTimeout: awscdk.Duration_Seconds(jsii.Number(p.readTimeout().Seconds())),
	})
	behaviors := map[string]*awscloudfront.BehaviorOptions{}
	for _, path := range p.backendPaths() {
		behaviors[path] = &awscloudfront.BehaviorOptions{
			Origin: origin, ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS,
			AllowedMethods: awscloudfront.AllowedMethods_ALLOW_ALL(), CachePolicy: awscloudfront.CachePolicy_CACHING_DISABLED(),
			OriginRequestPolicy: awscloudfront.OriginRequestPolicy_ALL_VIEWER(), ResponseHeadersPolicy: headers,
			FunctionAssociations: functions,
		}
	}
	if len(behaviors) > mostBehaviors {
		return nil, fmt.Errorf("make edge: the backends have %d paths, and a distribution takes %d; join some by a wildcard", len(behaviors), mostBehaviors)
	}
	return behaviors, nil
}

// defaultReadTimeout is how long a backend may be silent unless the catalog says so.
const defaultReadTimeout = time.Minute

func (p *previews) readTimeout() time.Duration {
	return cmp.Or(time.Duration(p.catalog.Edge.ReadTimeout), defaultReadTimeout)
}

// backendPaths are the patterns of all backends. Which of two is looked at first does
// not matter: all lead to the one load balancer.
func (p *previews) backendPaths() []string {
	var paths []string
	for _, name := range p.backends() {
		paths = append(paths, p.catalog.Services[name].Paths...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// names4and6 lead every name below the base domain to the edge.
func (p *previews) names4and6() {
	alias := awsroute53.RecordTarget_FromAlias(awsroute53targets.NewCloudFrontTarget(p.edge.distribution))
	name := jsii.String("*." + p.catalog.BaseDomain)
	awsroute53.NewARecord(p.stack, jsii.String("Names"), &awsroute53.ARecordProps{Zone: p.baseline.zone, RecordName: name, Target: alias})
	awsroute53.NewAaaaRecord(p.stack, jsii.String("Names6"), &awsroute53.AaaaRecordProps{Zone: p.baseline.zone, RecordName: name, Target: alias})
}
