package step

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/lambdas/kinds/queue"
	"previewenv/lambdas/kinds/targetgroup"
)

// neighbours are the environments that live in BenchmarkSweep: as many as a load
// balancer has target groups for.
const neighbours = 100

// BenchmarkSweep sweeps over the resources of 100 live environments, all of which
// have to be found and to be left alone: a target group, a listener rule and a
// frontend each, the rest queues. calls grow by pages of AWS's lists, and by three an
// environment (its rows, its execution, its prefix in the site bucket), not by
// resources. The time is mostly the emulator's. peak-MB is the largest heap in use
// that was seen.
//
//	go test -run '^$' -bench Sweep -benchtime 1x ./lambdas/internal/step
func BenchmarkSweep(b *testing.B) {
	for _, resources := range []int{1000, 10000} {
		b.Run(fmt.Sprint(resources), func(b *testing.B) {
			r := crowded(b, resources)
			awstest.Forget(b)
			peak := awstest.WatchHeap()
			for b.Loop() {
				out, err := r.Run(b.Context(), ReapInput{})
				if err != nil {
					b.Fatal(err)
				}
				if out.Environments != neighbours || len(out.Ended)+len(out.Leaks)+len(out.Removed)+len(out.Left)+len(out.Problems) > 0 {
					b.Fatalf("a sweep over what lives: %+v", out)
				}
			}
			b.ReportMetric(peak(), "peak-MB")
			b.ReportMetric(float64(len(awstest.Calls(b)))/float64(b.N), "calls/op")
		})
	}
}

// crowded is a reaper in an account with so many resources of live environments.
func crowded(b *testing.B, resources int) *Reap {
	cfg := awstest.Config(b)
	quiet := awstest.Quiet(cfg)
	_, table := awstest.Table(b, cfg)
	balancer := baseline.SeedBalancer(b, cfg)
	sites := s3.NewFromConfig(quiet, func(o *s3.Options) { o.UsePathStyle = true })
	_, err := sites.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String("site")})
	must(b, err)
	r := NewReap(cfg, config.Reap{
		Names:   config.Names{Prefix: "pv", PreviewURL: "https://{label}." + domainOfBench},
		Records: config.Records{Table: table}, Site: "site",
		Grace: time.Minute,
	})
	r.Log = slog.New(slog.DiscardHandler)
	r.Kinds = slices.DeleteFunc(r.Kinds, func(k Swept) bool { return k.Name == "route" }) // moto has no KeyValueStore
	r.Settings = func(context.Context) (*catalog.Settings, error) {
		return &catalog.Settings{BaseDomain: domainOfBench, Baseline: catalog.Baseline{
			Cluster: "none", Listeners: []string{balancer.Listener}, Priorities: catalog.Priorities{Overrides: [2]int{1000, 39999}},
		}}, nil
	}
	c := neighbourhood{
		B: b, cfg: cfg, records: r.Records, balancer: balancer, execution: endless(b, quiet),
		elb: elb.NewFromConfig(quiet), sqs: sqs.NewFromConfig(quiet), s3: sites,
	}
	for i := range neighbours {
		c.live(i+1, resources/neighbours)
	}
	return r
}

const domainOfBench = "preview.example.com"

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// endless is an execution that runs as long as the benchmark.
func endless(b *testing.B, cfg aws.Config) string {
	client := sfn.NewFromConfig(cfg)
	made, err := client.CreateStateMachine(b.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("environment"), RoleArn: aws.String("arn:aws:iam::" + awstest.Account + ":role/none"), Type: sfntypes.StateMachineTypeStandard,
		Definition: aws.String(`{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":86400,"End":true}}}`),
	})
	must(b, err)
	begun, err := client.StartExecution(b.Context(), &sfn.StartExecutionInput{StateMachineArn: made.StateMachineArn})
	must(b, err)
	return aws.ToString(begun.ExecutionArn)
}

// neighbourhood makes environments as the functions would have left them.
type neighbourhood struct {
	*testing.B

	cfg       aws.Config
	records   *record.Store
	balancer  baseline.Balancer
	execution string
	elb       *elb.Client
	sqs       *sqs.Client
	s3        *s3.Client
}

func (c *neighbourhood) live(number, resources int) {
	ctx, label := c.Context(), fmt.Sprintf("pr%d", number)
	_, err := c.records.Change(ctx, label, func(env *record.Environment) error {
		env.State, env.Revision, env.Incarnation, env.Live = record.Ready, 1, 1, "yes"
		env.Execution, env.ExpiresAt = c.execution, time.Now().Add(24*time.Hour)
		return nil
	})
	must(c.B, err)
	tags := map[string]string{"ManagedBy": "pv", "Environment": label}

	group := "pv-" + label + "-service1"
	made, err := c.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: &group, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &c.balancer.VPC, TargetType: elbtypes.TargetTypeEnumIp,
		Tags: []elbtypes.Tag{{Key: aws.String("ManagedBy"), Value: aws.String("pv")}, {Key: aws.String("Environment"), Value: &label}},
	})
	must(c.B, err)
	c.row(label, "targetgroup", "service1", *made.TargetGroups[0].TargetGroupArn, targetgroup.Spec{Name: group})

	host := label + "." + domainOfBench
	arn := c.balancer.AddRule(c, c.cfg, int32(1000+number), host, []string{"/service1"}, *made.TargetGroups[0].TargetGroupArn)
	c.row(label, "rule", "service1", arn, map[string]any{
		"listener": c.balancer.Listener, "host": host, "paths": []string{"/service1"}, "band": [2]int{1000, 39999}, "targetGroup": "targetgroup/service1",
	})

	prefix := label + "/abcd1234/"
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("site"), Key: aws.String(prefix + "index.html"), Body: strings.NewReader("x")})
	must(c.B, err)
	c.row(label, "frontend", "web", prefix, frontend.Spec{Site: "site", Prefix: prefix})

	for i := range resources - 3 {
		name := fmt.Sprintf("pv-%s-1-queue%d", label, i)
		q, err := c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Tags: tags})
		must(c.B, err)
		c.row(label, "queue", fmt.Sprint("queue", i), aws.ToString(q.QueueUrl), queue.Spec{Name: name})
	}
}

func (c *neighbourhood) row(label, kind, name, id string, spec any) {
	data, err := json.Marshal(spec)
	must(c.B, err)
	must(c.B, c.records.PutResource(c.Context(), record.Resource{
		Environment: label, Kind: kind, Name: name, Revision: 1, Incarnation: 1,
		Spec: string(data), ID: id, State: record.Present,
	}))
}
