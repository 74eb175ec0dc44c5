package faults

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// thing is one resource at the AWS endpoint.
type thing struct {
	Label  string // of the environment; empty for the baseline
	Name   string // kind and name
	Digest string // of what must not change of a baseline's
}

// inventory lists what there is of every kind that an environment is made of.
func (w *World) inventory(ctx context.Context) ([]thing, error) {
	var all []thing
	for _, list := range []func(context.Context) ([]thing, error){w.groups, w.rules, w.services, w.definitions, w.queues, w.objects} {
		things, err := list(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, things...)
	}
	return all, nil
}

// Inventory are the names of all that inventory lists, in order; with labels, of the
// baseline and of these alone.
func (w *World) Inventory(ctx context.Context, labels ...string) ([]string, error) {
	all, err := w.inventory(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range all {
		if len(labels) == 0 || t.Label == "" || slices.Contains(labels, t.Label) {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Remains are the names of what an environment still has, its key at the edge
// included.
func (w *World) Remains(ctx context.Context, label string) ([]string, error) {
	all, err := w.inventory(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range all {
		if t.Label == label {
			names = append(names, t.Name)
		}
	}
	if _, there := w.Store.Get(label); there {
		names = append(names, "key "+label)
	}
	slices.Sort(names)
	return names, nil
}

// baseline is a digest of all that belongs to no environment, by name.
func (w *World) baseline(ctx context.Context) (map[string]string, error) {
	all, err := w.inventory(ctx)
	if err != nil {
		return nil, err
	}
	digests := map[string]string{}
	for _, t := range all {
		if t.Label == "" {
			digests[t.Name] = t.Digest
		}
	}
	return digests, nil
}

// labelOf reads the label off a name of ours: pv-<label>-<rest>, where a label of a
// life has no hyphen.
func labelOf(name string) string {
	rest, ours := strings.CutPrefix(name, "pv-")
	if !ours {
		return ""
	}
	label, _, _ := strings.Cut(rest, "-")
	return label
}

func digest(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

func (w *World) groups(ctx context.Context) ([]thing, error) {
	var all []thing
	pages := elb.NewDescribeTargetGroupsPaginator(w.balancer, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list target groups: %w", err)
		}
		for _, g := range page.TargetGroups {
			name := aws.ToString(g.TargetGroupName)
			all = append(all, thing{labelOf(name), "target group " + name, digest(g)})
		}
	}
	return all, nil
}

func (w *World) rules(ctx context.Context) ([]thing, error) {
	var all []thing
	pages := elb.NewDescribeRulesPaginator(w.balancer, &elb.DescribeRulesInput{ListenerArn: &w.Seeded.Listener})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list rules: %w", err)
		}
		for _, r := range page.Rules {
			all = append(all, thing{hostLabel(r), "rule " + aws.ToString(r.Priority), digest(r)})
		}
	}
	return all, nil
}

// hostLabel is the label of the host that a rule is for.
func hostLabel(r elbtypes.Rule) string {
	for _, c := range r.Conditions {
		if c.HostHeaderConfig == nil {
			continue
		}
		for _, host := range c.HostHeaderConfig.Values {
			label, _, _ := strings.Cut(host, ".")
			if label != "staging" && label != "*" {
				return label
			}
		}
	}
	return ""
}

func (w *World) services(ctx context.Context) ([]thing, error) {
	var all []thing
	pages := ecs.NewListServicesPaginator(w.containers, &ecs.ListServicesInput{Cluster: &w.Seeded.Cluster, MaxResults: aws.Int32(10)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list services: %w", err)
		}
		if len(page.ServiceArns) == 0 {
			continue
		}
		out, err := w.containers.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &w.Seeded.Cluster, Services: page.ServiceArns})
		if err != nil {
			return nil, fmt.Errorf("describe services: %w", err)
		}
		for _, s := range out.Services {
			name := aws.ToString(s.ServiceName)
			// ECS goes on listing a deleted service for a while after its last task.
			if aws.ToString(s.Status) == "ACTIVE" || s.RunningCount+s.PendingCount > 0 {
				all = append(all, thing{labelOf(name), "service " + name, digest([]any{s.TaskDefinition, s.DesiredCount, s.LoadBalancers})})
			}
		}
	}
	return all, nil
}

func (w *World) definitions(ctx context.Context) ([]thing, error) {
	var all []thing
	pages := ecs.NewListTaskDefinitionsPaginator(w.containers, &ecs.ListTaskDefinitionsInput{Status: "ACTIVE"})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list task definitions: %w", err)
		}
		for _, arn := range page.TaskDefinitionArns {
			name := arn[strings.LastIndexByte(arn, '/')+1:]
			all = append(all, thing{labelOf(name), "task definition " + name, ""})
		}
	}
	return all, nil
}

func (w *World) queues(ctx context.Context) ([]thing, error) {
	var all []thing
	pages := sqs.NewListQueuesPaginator(w.letters, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list queues: %w", err)
		}
		for _, url := range page.QueueUrls {
			name := url[strings.LastIndexByte(url, '/')+1:]
			all = append(all, thing{labelOf(name), "queue " + name, ""})
		}
	}
	return all, nil
}

func (w *World) objects(ctx context.Context) ([]thing, error) {
	var all []thing
	pages := s3.NewListObjectsV2Paginator(w.site, &s3.ListObjectsV2Input{Bucket: &w.Seeded.Site})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list objects: %w", err)
		}
		for _, o := range page.Contents {
			key := aws.ToString(o.Key)
			label, _, _ := strings.Cut(key, "/")
			if label == "default" {
				label = ""
			}
			all = append(all, thing{label, "object " + key, aws.ToString(o.ETag)})
		}
	}
	return all, nil
}
