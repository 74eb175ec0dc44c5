package doctor

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// askTimeout bounds a question to Slack or GitHub.
const askTimeout = 10 * time.Second

// clients are those of the services that are asked.
type clients struct {
	ACM         *acm.Client
	EdgeACM     *acm.Client // in us-east-1, where CloudFront looks for certificates
	Connections *codeconnections.Client
	ECS         *ecs.Client
	ELB         *elb.Client
	IAM         *iam.Client
	Logs        *logs.Client
	Quotas      *servicequotas.Client
	Route53     *route53.Client
	Secrets     *secretsmanager.Client
	SQS         *sqs.Client
	SSM         *ssm.Client
	STS         *sts.Client
}

func newClients(cfg aws.Config) clients {
	return clients{
		ACM:         acm.NewFromConfig(cfg),
		EdgeACM:     acm.NewFromConfig(cfg, func(o *acm.Options) { o.Region = "us-east-1" }),
		Connections: codeconnections.NewFromConfig(cfg),
		ECS:         ecs.NewFromConfig(cfg),
		ELB:         elb.NewFromConfig(cfg),
		IAM:         iam.NewFromConfig(cfg),
		Logs:        logs.NewFromConfig(cfg),
		Quotas:      servicequotas.NewFromConfig(cfg),
		Route53:     route53.NewFromConfig(cfg),
		Secrets:     secretsmanager.NewFromConfig(cfg),
		SQS:         sqs.NewFromConfig(cfg),
		SSM:         ssm.NewFromConfig(cfg),
		STS:         sts.NewFromConfig(cfg),
	}
}

// place is the Region and the account of an ARN.
func place(arn string) (region, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return "", ""
	}
	return parts[3], parts[4]
}
