package smoke

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// tasks measures how the tasks of an act were started, by ECS's own clock. What ECS
// does not tell is left out: the life does not depend on it.
func (r *run) tasks(ctx context.Context, a *Act) {
	if r.Cluster == "" {
		return
	}
	found, err := r.describeTasks(ctx)
	if err != nil {
		r.Tell("%s: the times of its tasks are not known: %v", a.Name, err)
	}
	for _, task := range found {
		if created := aws.ToTime(task.CreatedAt); created.After(a.Asked) {
			a.Tasks = append(a.Tasks, task)
		}
	}
}

func (r *run) describeTasks(ctx context.Context) ([]types.Task, error) {
	client := ecs.NewFromConfig(r.Config)
	var all []types.Task
	services := ecs.NewListServicesPaginator(client, &ecs.ListServicesInput{Cluster: &r.Cluster, MaxResults: aws.Int32(100)})
	for services.HasMorePages() {
		page, err := services.NextPage(ctx)
		if err != nil {
			return all, err
		}
		for _, service := range page.ServiceArns {
			if !strings.Contains(service, "-"+r.Label+"-") {
				continue
			}
			list, err := client.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &r.Cluster, ServiceName: aws.String(service[strings.LastIndex(service, "/")+1:])})
			if err != nil || len(list.TaskArns) == 0 {
				return all, err
			}
			out, err := client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &r.Cluster, Tasks: list.TaskArns})
			if err != nil {
				return all, err
			}
			all = append(all, out.Tasks...)
		}
	}
	return all, nil
}

// started are the parts of a task's start.
func (r *Report) started(a *Act) {
	for _, task := range a.Tasks {
		family, _, _ := strings.Cut(aws.ToString(task.TaskDefinitionArn)[strings.LastIndex(aws.ToString(task.TaskDefinitionArn), "/")+1:], ":")
		var parts []string
		last := task.CreatedAt
		for _, part := range []struct {
			name string
			at   *time.Time
		}{{"placed and attached", task.PullStartedAt}, {"pulled", task.PullStoppedAt}, {"started", task.StartedAt}} {
			if part.at != nil && last != nil {
				parts = append(parts, fmt.Sprintf("%s %s", part.name, part.at.Sub(*last).Round(100*time.Millisecond)))
				last = part.at
			}
		}
		if task.StartedAt != nil && task.CreatedAt != nil {
			r.took(a, "ECS starts "+family, task.StartedAt.Sub(*task.CreatedAt), strings.Join(parts, ", "))
		}
	}
}
