package seed

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// clients are those of the services that the baseline is made of.
type clients struct {
	cloudfront *cloudfront.Client
	codebuild  *codebuild.Client
	dynamodb   *dynamodb.Client
	ecr        *ecr.Client
	ecs        *ecs.Client
	elb        *elb.Client
	logs       *cloudwatchlogs.Client
	s3         *s3.Client
	secret     *secretsmanager.Client
	sfn        *sfn.Client
	sqs        *sqs.Client
	ssm        *ssm.Client
}

func newClients(cfg aws.Config) clients {
	return clients{
		cloudfront: cloudfront.NewFromConfig(cfg),
		codebuild:  codebuild.NewFromConfig(cfg),
		dynamodb:   dynamodb.NewFromConfig(cfg),
		ecr:        ecr.NewFromConfig(cfg),
		ecs:        ecs.NewFromConfig(cfg),
		elb:        elb.NewFromConfig(cfg),
		logs:       cloudwatchlogs.NewFromConfig(cfg),
		// The buckets are in the path: the emulator has no host of theirs.
		s3:     s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		secret: secretsmanager.NewFromConfig(cfg),
		sfn:    sfn.NewFromConfig(cfg),
		sqs:    sqs.NewFromConfig(cfg),
		ssm:    ssm.NewFromConfig(cfg),
	}
}
