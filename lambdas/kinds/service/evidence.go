package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

const (
	tailLines = 20
	// lineLimit keeps the tail within the 3,000 characters of a Slack section.
	lineLimit = 140
	// describeLimit is how many tasks one DescribeTasks takes (botocore).
	describeLimit = 100
)

// unhealthy gathers what a developer needs to find the defect: what was probed,
// what came back, how the last task ended and what it said.
func (k *Kind) unhealthy(ctx context.Context, r kind.Resource, spec Spec, s sight, why string) error {
	probed, err := k.probed(ctx, spec)
	if err != nil {
		return err
	}
	task, err := k.lastTask(ctx, spec, aws.ToString(s.wanted.TaskDefinitionArn))
	if err != nil {
		return err
	}
	said := []string{fmt.Sprintf("%s is unhealthy: %s.", r.Name, why), probed}
	said = append(said, targetWords(s.targets)...)
	said = append(said, taskWords(task)...)
	f := fault.New(statemachine.ErrUnhealthy, "%s", strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), " ")).
		WithNext("Correct the service, or the variables it was given, and provision the new commit.")
	f.Service = r.Name
	if task != nil {
		if f.Tail, f.Log, err = k.log(ctx, spec, aws.ToString(task.TaskArn)); err != nil {
			return err
		}
	}
	return f
}

// targetHealth is the health of the targets; a group that is gone has none.
func (k *Kind) targetHealth(ctx context.Context, spec Spec) ([]elbtypes.TargetHealthDescription, error) {
	out, err := k.targets.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: spec.targetGroup()})
	var gone *elbtypes.TargetGroupNotFoundException
	if errors.As(err, &gone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe target health of %s: %w", spec.Name, err)
	}
	return out.TargetHealthDescriptions, nil
}

// probed is the health check of the target group in words.
func (k *Kind) probed(ctx context.Context, spec Spec) (string, error) {
	out, err := k.targets.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{*spec.targetGroup()}})
	var gone *elbtypes.TargetGroupNotFoundException
	if errors.As(err, &gone) || err == nil && len(out.TargetGroups) == 0 {
		return "Its target group is gone.", nil
	}
	if err != nil {
		return "", fmt.Errorf("describe target group of %s: %w", spec.Name, err)
	}
	group := out.TargetGroups[0]
	port := aws.ToString(group.HealthCheckPort)
	if port == "traffic-port" {
		port = fmt.Sprint(aws.ToInt32(spec.Service.LoadBalancers[0].ContainerPort))
	}
	words := fmt.Sprintf("Probed: %s %s on port %s", group.HealthCheckProtocol, aws.ToString(group.HealthCheckPath), port)
	if m := group.Matcher; m != nil {
		words += ", expecting " + aws.ToString(m.HttpCode) + aws.ToString(m.GrpcCode)
	}
	return words + ".", nil
}

// targetWords tell each way in which targets are not healthy once.
func targetWords(targets []elbtypes.TargetHealthDescription) []string {
	var words []string
	for _, target := range targets {
		health := target.TargetHealth
		if health == nil || health.State == elbtypes.TargetHealthStateEnumHealthy {
			continue
		}
		said := "Target " + string(health.State)
		if health.Reason != "" {
			said += " (" + string(health.Reason) + ")"
		}
		if description := aws.ToString(health.Description); description != "" {
			said += ": " + strings.TrimSuffix(description, ".")
		}
		if !slices.Contains(words, said+".") {
			words = append(words, said+".")
		}
	}
	return words
}

// taskWords tell how a task ended, and which of its containers with what.
func taskWords(task *types.Task) []string {
	if task == nil {
		return []string{"No task of it has started."}
	}
	var words []string
	if reason := aws.ToString(task.StoppedReason); reason != "" {
		words = append(words, "The last task stopped: "+strings.TrimSuffix(reason, ".")+".")
	}
	for _, container := range task.Containers {
		reason := aws.ToString(container.Reason)
		if container.ExitCode == nil && reason == "" {
			continue
		}
		// A container that only prepares the others ends well while the task runs on.
		if reason == "" && *container.ExitCode == 0 && aws.ToString(task.LastStatus) != "STOPPED" {
			continue
		}
		said := "Container " + aws.ToString(container.Name)
		if container.ExitCode != nil {
			said += fmt.Sprintf(" exited with %d", *container.ExitCode)
		}
		if reason != "" {
			said += " (" + strings.TrimSuffix(reason, ".") + ")"
		}
		words = append(words, said+".")
	}
	return words
}

// addresses are those of the running tasks of a task definition.
func (k *Kind) addresses(ctx context.Context, spec Spec, definition string) ([]string, error) {
	tasks, err := k.tasks(ctx, spec, definition, types.DesiredStatusRunning)
	if err != nil {
		return nil, err
	}
	addresses := []string{}
	for _, task := range tasks {
		for _, attachment := range task.Attachments {
			for _, detail := range attachment.Details {
				if name := aws.ToString(detail.Name); name == "privateIPv4Address" || name == "privateIPv6Address" {
					addresses = append(addresses, aws.ToString(detail.Value))
				}
			}
		}
	}
	return addresses, nil
}

// lastTask is the task of a task definition that stopped last; where none has, one
// that runs; or nil.
func (k *Kind) lastTask(ctx context.Context, spec Spec, definition string) (*types.Task, error) {
	for _, status := range []types.DesiredStatus{types.DesiredStatusStopped, types.DesiredStatusRunning} {
		tasks, err := k.tasks(ctx, spec, definition, status)
		if err != nil {
			return nil, err
		}
		if len(tasks) > 0 {
			last := slices.MaxFunc(tasks, func(a, b types.Task) int {
				return aws.ToTime(cmp.Or(a.StoppedAt, a.CreatedAt)).Compare(aws.ToTime(cmp.Or(b.StoppedAt, b.CreatedAt)))
			})
			return &last, nil
		}
	}
	return nil, nil
}

func (k *Kind) tasks(ctx context.Context, spec Spec, definition string, status types.DesiredStatus) ([]types.Task, error) {
	var arns []string
	pages := ecs.NewListTasksPaginator(k.client, &ecs.ListTasksInput{
		Cluster: spec.Service.Cluster, ServiceName: &spec.Name, DesiredStatus: status,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list tasks of %s: %w", spec.Name, err)
		}
		arns = append(arns, page.TaskArns...)
	}
	var tasks []types.Task
	for some := range slices.Chunk(arns, describeLimit) {
		out, err := k.client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: spec.Service.Cluster, Tasks: some})
		if err != nil {
			return nil, fmt.Errorf("describe tasks of %s: %w", spec.Name, err)
		}
		for _, task := range out.Tasks {
			if aws.ToString(task.TaskDefinitionArn) == definition {
				tasks = append(tasks, task)
			}
		}
	}
	return tasks, nil
}

// log is the end of what the overridden container of a task wrote, and a link to
// the rest. A container that wrote nothing, or not to CloudWatch, has neither.
func (k *Kind) log(ctx context.Context, spec Spec, task string) (tail, link string, err error) {
	group, stream, region := spec.stream(task)
	if stream == "" || region == "" {
		return "", "", nil
	}
	out, err := k.logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: &stream, Limit: aws.Int32(tailLines), StartFromHead: aws.Bool(false),
	}, func(o *cloudwatchlogs.Options) { o.Region = region })
	var missing *logtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("get log events of %s: %w", spec.Name, err)
	}
	lines := make([]string, 0, len(out.Events))
	for _, event := range out.Events {
		lines = append(lines, shorten(strings.TrimRight(aws.ToString(event.Message), "\r\n")))
	}
	link = fmt.Sprintf("https://%[1]s.console.aws.amazon.com/cloudwatch/home?region=%[1]s#logsV2:log-groups/log-group/%[2]s/log-events/%[3]s",
		region, fragment(group), fragment(stream))
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n"), link, nil
}

// stream is where the awslogs driver writes: prefix/container/task
// (docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html).
func (s Spec) stream(task string) (group, stream, region string) {
	for _, container := range s.TaskDefinition.ContainerDefinitions {
		config := container.LogConfiguration
		if aws.ToString(container.Name) != s.Container || config == nil || config.LogDriver != types.LogDriverAwslogs {
			continue
		}
		prefix := config.Options["awslogs-stream-prefix"]
		if prefix == "" {
			return "", "", ""
		}
		id := task[strings.LastIndex(task, "/")+1:]
		return config.Options["awslogs-group"], prefix + "/" + s.Container + "/" + id, config.Options["awslogs-region"]
	}
	return "", "", ""
}

func (s Spec) targetGroup() *string { return s.Service.LoadBalancers[0].TargetGroupArn }

// fragment escapes as the console does: twice, with $ for the percent sign.
func fragment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(s)), "%", "$")
}

func shorten(line string) string {
	if runes := []rune(line); len(runes) > lineLimit {
		return string(runes[:lineLimit-1]) + "…"
	}
	return line
}
