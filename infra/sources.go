package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// sourceDays is how long a version of a source is kept: far longer than a build.
const sourceDays = 7

// makeSources makes the bucket of what ephemeral builds read: one object a service, a
// version a commit.
func (p *previews) makeSources() error {
	p.sources = awss3.NewBucket(p.stack, jsii.String("Sources"), p.private("sources", &awss3.BucketProps{
		Versioned: jsii.Bool(true),
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration: awscdk.Duration_Days(jsii.Number(sourceDays)), NoncurrentVersionExpiration: awscdk.Duration_Days(jsii.Number(sourceDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}, {
			// What an expiration leaves of the newest version.
			ExpiredObjectDeleteMarker: jsii.Bool(true),
		}},
	}))
	return nil
}

// sourceKey is where the project of a service reads its source.
func sourceKey(service string) string { return "sources/" + service + ".zip" }

// outputPrefix is what builds of a service may write below.
func outputPrefix(service string) string { return "outputs/" + service }
