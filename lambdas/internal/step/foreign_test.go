package step

import (
	"context"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
)

// account is one in which others have resources beside ours.
type account struct {
	*testing.T

	shared baseline.Shared
	cfg    aws.Config
	elb    *elb.Client
	ecs    *ecs.Client
	sqs    *sqs.Client
	s3     *s3.Client
	next   int32 // priority

	listeners []string // of the catalog
}

const siteOfAccount = "site"

func newAccount(t *testing.T) *account {
	cfg := awstest.Config(t)
	quiet := awstest.Quiet(cfg)
	a := &account{
		T: t, cfg: cfg, next: 1000,
		elb: elb.NewFromConfig(quiet), ecs: ecs.NewFromConfig(quiet), sqs: sqs.NewFromConfig(quiet),
		s3: s3.NewFromConfig(quiet, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	_, err := a.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(siteOfAccount)})
	a.must(err)
	return a
}

func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// add makes one of each kind: all of one name, and a rule of the host of a label.
func (a *account) add(name, label string, tags map[string]string) {
	a.Helper()
	_, err := a.sqs.CreateQueue(a.Context(), &sqs.CreateQueueInput{QueueName: &name, Tags: tags})
	a.must(err)
	var forELB []elbtypes.Tag
	var forECS []ecstypes.Tag
	for key, value := range tags {
		forELB = append(forELB, elbtypes.Tag{Key: &key, Value: &value})
		forECS = append(forECS, ecstypes.Tag{Key: &key, Value: &value})
	}
	group, err := a.elb.CreateTargetGroup(a.Context(), &elb.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &a.shared.VPC,
		TargetType: elbtypes.TargetTypeEnumIp, Tags: forELB,
	})
	a.must(err)
	host := label + "." + domainOfBench
	a.next++
	_, err = a.elb.CreateRule(a.Context(), &elb.CreateRuleInput{
		ListenerArn: &a.shared.Listener, Priority: aws.Int32(a.next), Tags: forELB,
		Conditions: []elbtypes.RuleCondition{
			{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{host}}},
			{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/" + name}}},
		},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group.TargetGroups[0].TargetGroupArn}},
	})
	a.must(err)
	for _, family := range []string{name, name + "-alone"} { // the second one has no service
		_, err = a.ecs.RegisterTaskDefinition(a.Context(), &ecs.RegisterTaskDefinitionInput{
			Family: &family, ContainerDefinitions: a.shared.TaskDefinition.ContainerDefinitions, Tags: forECS,
			Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc,
			RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		})
		a.must(err)
	}
	_, err = a.ecs.CreateService(a.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String(baseline.Cluster), ServiceName: &name, TaskDefinition: &name, DesiredCount: aws.Int32(0), Tags: forECS,
	})
	a.must(err)
}

// put makes an object of the site, with tags as a URL has its query.
func (a *account) put(key, tags string) {
	a.Helper()
	_, err := a.s3.PutObject(a.Context(), &s3.PutObjectInput{
		Bucket: aws.String(siteOfAccount), Key: &key, Body: strings.NewReader("x"), Tagging: &tags,
	})
	a.must(err)
}

// inventory is all that there is, by kind and name.
func (a *account) inventory() []string {
	a.Helper()
	all := map[string]bool{}
	queues, err := a.sqs.ListQueues(a.Context(), &sqs.ListQueuesInput{})
	a.must(err)
	for _, url := range queues.QueueUrls {
		all["queue "+path.Base(url)] = true
	}
	groups, err := a.elb.DescribeTargetGroups(a.Context(), &elb.DescribeTargetGroupsInput{})
	a.must(err)
	for _, g := range groups.TargetGroups {
		all["targetgroup "+*g.TargetGroupName] = true
	}
	rules, err := a.elb.DescribeRules(a.Context(), &elb.DescribeRulesInput{ListenerArn: &a.shared.Listener})
	a.must(err)
	for _, r := range rules.Rules {
		for _, c := range r.Conditions {
			if c.PathPatternConfig != nil {
				all["rule "+strings.Join(c.PathPatternConfig.Values, " ")] = true
			}
		}
	}
	services, err := a.ecs.ListServices(a.Context(), &ecs.ListServicesInput{Cluster: aws.String(baseline.Cluster), MaxResults: aws.Int32(100)})
	a.must(err)
	for some := range slices.Chunk(services.ServiceArns, 10) {
		described, err := a.ecs.DescribeServices(a.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(baseline.Cluster), Services: some})
		a.must(err)
		for _, s := range described.Services {
			if *s.Status == "ACTIVE" {
				all["service "+*s.ServiceName] = true
			}
		}
	}
	definitions, err := a.ecs.ListTaskDefinitions(a.Context(), &ecs.ListTaskDefinitionsInput{Status: ecstypes.TaskDefinitionStatusActive})
	a.must(err)
	for _, arn := range definitions.TaskDefinitionArns {
		all["definition "+path.Base(arn)] = true
	}
	objects, err := a.s3.ListObjectsV2(a.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(siteOfAccount)})
	a.must(err)
	for _, o := range objects.Contents {
		all["object "+*o.Key] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// reaper is that of an installation in the account. The emulator has no KeyValueStore;
// the package of routes shows what holds for its keys.
func (a *account) reaper(prefix string) *Reap {
	_, table := awstest.Table(a, a.cfg)
	r := NewReap(a.cfg, config.Reap{
		Names:   config.Names{Prefix: prefix, PreviewURL: "https://{label}." + domainOfBench},
		Records: config.Records{Table: table}, Site: siteOfAccount, Distribution: "E1", Grace: time.Minute,
	})
	r.Log = slog.New(slog.DiscardHandler)
	r.Patience, r.Pause = 10*time.Second, 10*time.Millisecond
	r.Kinds = slices.DeleteFunc(r.Kinds, func(k Swept) bool { return k.Name == "route" })
	r.Settings = func(context.Context) (*catalog.Settings, error) {
		return &catalog.Settings{BaseDomain: domainOfBench, Baseline: catalog.Baseline{
			Cluster: baseline.Cluster, Listeners: a.listeners, Priorities: catalog.Priorities{Overrides: [2]int{1000, 39999}},
		}}, nil
	}
	return r
}

const commitOfAccount = "0123456789abcdef0123456789abcdef01234567"

func TestASweepTouchesNothingThatIsNotOurs(t *testing.T) {
	for rule, prefix := range map[string]string{
		"a prefix of its own":                       "pv",
		"a prefix that begins the baseline's names": "staging",
	} {
		t.Run(rule, func(t *testing.T) {
			a := newAccount(t)
			a.shared = baseline.SeedShared(t, a.cfg)
			a.listeners = []string{a.shared.Listener}
			// The baseline, and other teams: without any tag, and with their own.
			a.add("staging-orders", "staging", nil)
			a.add("payroll", "payroll", map[string]string{"ManagedBy": "payroll-team"})
			// What bears our prefix or lies on a host of ours.
			a.add(prefix+"-untagged", "untagged", nil)
			a.add(prefix+"-payroll", "pay", map[string]string{"ManagedBy": "payroll-team", "Environment": "pr1"})
			a.add(prefix+"-half", "half", map[string]string{"ManagedBy": prefix})
			a.add(prefix+"-other", "other", map[string]string{"Environment": "other"})
			a.add(prefix+"-nolabel", "nolabel", map[string]string{"ManagedBy": prefix, "Environment": "No Label"})
			// Installations whose prefix nests in ours, or in which ours nests.
			a.add(prefix+"-b-pr1-service1", "b", map[string]string{"ManagedBy": prefix + "-b", "Environment": "pr1"})
			a.add(prefix+"b-pr1-service1", "bb", map[string]string{"ManagedBy": prefix + "b", "Environment": "pr1"})
			for _, key := range []string{
				"default/index.html", "default/" + commitOfAccount + "/index.html", "docs/v1/index.html",
				"index.html", "pr7/index.html", "PR7/" + commitOfAccount + "/index.html",
			} {
				a.put(key, "")
			}
			a.put("pr8/"+commitOfAccount+"/index.html", "Environment=pr8")
			foreign := a.inventory()

			a.add(prefix+"-pr1-service1-1", "pr1", map[string]string{"ManagedBy": prefix, "Environment": "pr1"})
			a.put("pr1/"+commitOfAccount+"/index.html", "ManagedBy="+prefix+"&Environment=pr1")

			out, err := a.reaper(prefix).Run(t.Context(), ReapInput{})
			if err != nil || len(out.Left)+len(out.Problems) > 0 {
				t.Fatalf("sweep = %+v, %v", out, err)
			}
			if diff := cmp.Diff(foreign, a.inventory()); diff != "" {
				t.Errorf("what there is, besides ours (-before +after):\n%s", diff)
			}
			var reported []string
			for _, line := range out.Foreign {
				if line.Kind == "queue" || line.Kind == "frontend" {
					reported = append(reported, line.Name)
				}
				if !strings.Contains(line.Why, "is not ours: its tags say") || !strings.Contains(line.Why, "Nothing was changed.") {
					t.Errorf("%s %s is reported in the words %q", line.Kind, line.Name, line.Why)
				}
			}
			slices.Sort(reported)
			want := []string{prefix + "-b-pr1-service1", prefix + "-half", prefix + "-nolabel", prefix + "-other", prefix + "-payroll", prefix + "-untagged"}
			if prefix == "staging" {
				want = append(want, "staging-orders")
			}
			want = append(want, "pr8/"+commitOfAccount+"/")
			slices.Sort(want)
			if diff := cmp.Diff(want, reported); diff != "" {
				t.Errorf("queues and builds that are reported (-bear our name +reported):\n%s", diff)
			}
		})
	}
}
