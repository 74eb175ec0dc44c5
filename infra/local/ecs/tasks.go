package ecs

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// pageLimit is the most tasks of one page of ListTasks (botocore).
const pageLimit = 100

// ListTasks answers the operation for the tasks of services, the newest first.
func (a *Agent) ListTasks(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Cluster, ServiceName, Family, StartedBy, DesiredStatus, NextToken string
		MaxResults                                                        int
	}
	if !read(w, r, &in) {
		return
	}
	ended := in.DesiredStatus == stopped
	a.mu.Lock()
	found := a.which(func(t *task) bool {
		return last(t.service.Cluster) == cluster(in.Cluster) && (t.code != "") == ended &&
			(in.ServiceName == "" || t.service.Name == last(in.ServiceName)) &&
			(in.Family == "" || aws.ToString(t.content.Family) == in.Family) &&
			(in.StartedBy == "" || t.deployment.id == in.StartedBy)
	})
	slices.Reverse(found)
	arns := []string{}
	for _, t := range found {
		arns = append(arns, t.arn())
	}
	a.mu.Unlock()
	from, _ := strconv.Atoi(in.NextToken)
	arns = arns[min(max(from, 0), len(arns)):]
	answer := map[string]any{"taskArns": arns}
	limit := pageLimit
	if in.MaxResults > 0 {
		limit = min(in.MaxResults, pageLimit)
	}
	if len(arns) > limit {
		answer["taskArns"], answer["nextToken"] = arns[:limit], strconv.Itoa(from+limit)
	}
	write(w, answer)
}

// DescribeTasks answers the operation for tasks that run or stopped within the
// last hour.
func (a *Agent) DescribeTasks(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Cluster string
		Tasks   []string
	}
	if !read(w, r, &in) {
		return
	}
	tasks, failures := []map[string]any{}, []map[string]any{}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range in.Tasks {
		found := a.which(func(t *task) bool {
			return t.id == last(name) && last(t.service.Cluster) == cluster(in.Cluster)
		})
		if len(found) == 0 {
			failures = append(failures, map[string]any{"arn": name, "reason": "MISSING"})
			continue
		}
		tasks = append(tasks, found[0].view())
	}
	write(w, map[string]any{"tasks": tasks, "failures": failures})
}

// cluster is the name that a request means.
func cluster(name string) string {
	if name == "" {
		return "default"
	}
	return last(name)
}

// last is the name at the end of an ARN, or the name.
func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func (t *task) view() map[string]any {
	desired, health := running, "UNKNOWN"
	if t.code != "" {
		desired = stopped
	}
	v := map[string]any{
		"taskArn": t.arn(), "clusterArn": t.service.Cluster, "group": "service:" + t.service.Name,
		"taskDefinitionArn": aws.ToString(t.content.TaskDefinitionArn), "startedBy": t.deployment.id,
		"lastStatus": t.status, "desiredStatus": desired, "healthStatus": health, "launchType": t.service.LaunchType,
		"cpu": aws.ToString(t.content.Cpu), "memory": aws.ToString(t.content.Memory), "createdAt": epoch(t.created),
		"connectivity": "CONNECTED", "availabilityZone": "local",
	}
	if !t.started.IsZero() {
		v["startedAt"] = epoch(t.started)
	}
	if t.code != "" {
		v["stoppingAt"], v["stopCode"], v["stoppedReason"] = epoch(t.stopping), t.code, t.reason
	}
	if t.status == stopped {
		v["stoppedAt"] = epoch(t.stoppedAt)
	}
	containers := []map[string]any{}
	for _, definition := range t.content.ContainerDefinitions {
		c := map[string]any{
			"containerArn": strings.Replace(t.arn(), ":task/", ":container/", 1) + "/" + aws.ToString(definition.Name),
			"taskArn":      t.arn(), "name": aws.ToString(definition.Name), "image": aws.ToString(definition.Image),
			"lastStatus": t.status, "healthStatus": health,
			"networkInterfaces": []map[string]any{{"privateIpv4Address": t.address}},
		}
		i := slices.IndexFunc(t.containers, func(c *container) bool {
			return aws.ToString(c.Name) == aws.ToString(definition.Name)
		})
		if i < 0 && t.code != "" {
			c["reason"] = t.reason
		} else if i >= 0 {
			if code := t.containers[i].exitCode(); code != nil {
				c["exitCode"], c["lastStatus"] = *code, stopped
			}
		}
		containers = append(containers, c)
	}
	v["containers"] = containers
	return v
}

func read(w http.ResponseWriter, r *http.Request, in any) bool {
	if err := json.NewDecoder(r.Body).Decode(in); err != nil {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "SerializationException", "message": err.Error()})
		return false
	}
	return true
}

func write(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(answer)
}
