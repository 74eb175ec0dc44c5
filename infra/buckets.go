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
// logs. None has versions: what is in them is made anew from a commit.
func (p *previews) makeBuckets() error {
	p.logs = awss3.NewBucket(p.stack, jsii.String("AccessLogs"), p.private("logs", &awss3.BucketProps{
		// CloudFront and S3 write logs by an access list.
		ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_PREFERRED,
		LifecycleRules:  expire(logDays),
	}))
	accept(p.logs, "AwsSolutions-S1", "This is the bucket of access logs.")
	p.site = awss3.NewBucket(p.stack, jsii.String("Site"), p.private("site", &awss3.BucketProps{
		ServerAccessLogsBucket: p.logs, ServerAccessLogsPrefix: jsii.String("site/"),
	}))
	p.artifacts = awss3.NewBucket(p.stack, jsii.String("Artifacts"), p.private("artifacts", &awss3.BucketProps{
		ServerAccessLogsBucket: p.logs, ServerAccessLogsPrefix: jsii.String("artifacts/"), LifecycleRules: expire(buildDays),
	}))
	return nil
}

// private fills in what every bucket has.
func (p *previews) private(name string, props *awss3.BucketProps) *awss3.BucketProps {
	props.BucketName = jsii.String(p.bucketName(name))
	props.BlockPublicAccess = awss3.BlockPublicAccess_BLOCK_ALL()
	props.EnforceSSL = jsii.Bool(true)
	props.Encryption = awss3.BucketEncryption_S3_MANAGED
	props.RemovalPolicy = awscdk.RemovalPolicy_RETAIN
	return props
}

func expire(days float64) *[]*awss3.LifecycleRule {
	return &[]*awss3.LifecycleRule{{
		Expiration: awscdk.Duration_Days(&days), AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
	}}
}
