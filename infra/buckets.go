package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// Days that things are kept.
const (
	buildDays = 30 // a build is found again by its commit for as long
	logDays   = 90
)

// makeBuckets makes the bucket behind the edge, that of builds, and that of access
// logs. None has versions: what is in them is made anew from a commit. They stay when
// the stack goes, and have no names of ours: what is left of a stack is not in the way
// of the next.
func (p *previews) makeBuckets() error {
	p.logs = awss3.NewBucket(p.stack, jsii.String("AccessLogs"), p.private("logs", &awss3.BucketProps{
		// CloudFront and S3 write logs by an access list.
		ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_PREFERRED,
		LifecycleRules:  expire(logDays),
		// A load balancer tries it with an object as soon as it is named, and a bucket that
		// is not empty would make a creation that fails fail at its rollback too.
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	}))
	accept(p.logs, "AwsSolutions-S1", "This is the bucket of access logs.")
	p.site = awss3.NewBucket(p.stack, jsii.String("Site"), p.private("site", &awss3.BucketProps{}))
	p.output("Site", p.site.BucketName(), "Where frontends are; the baseline's is below default/.")
	p.artifacts = awss3.NewBucket(p.stack, jsii.String("Artifacts"), p.private("artifacts", &awss3.BucketProps{LifecycleRules: expire(buildDays)}))
	return nil
}

// private fills in what every bucket has; its access is logged under the name, but that
// to the logs themselves.
func (p *previews) private(name string, props *awss3.BucketProps) *awss3.BucketProps {
	if p.logs != nil {
		props.ServerAccessLogsBucket, props.ServerAccessLogsPrefix = p.logs, jsii.String(name+"/")
	}
	props.BlockPublicAccess = awss3.BlockPublicAccess_BLOCK_ALL()
	props.EnforceSSL = jsii.Bool(true)
	props.Encryption = awss3.BucketEncryption_S3_MANAGED
	if props.RemovalPolicy == "" {
		props.RemovalPolicy = awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE
	}
	return props
}

// bucketName is what CloudFormation names a bucket: site, artifacts or logs.
func (p *previews) bucketName(name string) string {
	return *map[string]awss3.Bucket{"site": p.site, "artifacts": p.artifacts, "logs": p.logs}[name].BucketName()
}

func expire(days float64) *[]*awss3.LifecycleRule {
	return &[]*awss3.LifecycleRule{{
		Expiration: awscdk.Duration_Days(&days), AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
	}}
}
