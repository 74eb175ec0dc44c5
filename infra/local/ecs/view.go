package ecs

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Service is what AWS clients sign for when they call ECS.
const Service = "ecs"

// settings are what a service keeps on AWS and not in moto 5.2.5.
var settings = [...]string{
	"deploymentConfiguration", "healthCheckGracePeriodSeconds", "capacityProviderStrategy", "platformVersion",
	"enableECSManagedTags", "enableExecuteCommand", "availabilityZoneRebalancing",
}

// Attach has the edge tell the agent of changes at once, and clients what really
// runs. rewrite is given an operation and what is to be done to its successful
// answers, handle an operation and who answers it.
func (a *Agent) Attach(rewrite func(service, operation string, f func(request, response []byte) []byte),
	handle func(service, operation string, h http.Handler)) {
	rewrite(Service, "DescribeServices", a.DescribeServices)
	rewrite(Service, "ListServices", a.ListServices)
	for _, operation := range []string{"CreateService", "UpdateService", "DeleteService"} {
		rewrite(Service, operation, a.Answer)
	}
	handle(Service, "ListTasks", http.HandlerFunc(a.ListTasks))
	handle(Service, "DescribeTasks", http.HandlerFunc(a.DescribeTasks))
}

// DescribeServices completes the emulator's answer with what really runs.
func (a *Agent) DescribeServices(_, response []byte) []byte {
	var answer map[string]json.RawMessage
	var services []json.RawMessage
	if json.Unmarshal(response, &answer) != nil || json.Unmarshal(answer["services"], &services) != nil {
		return response
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, raw := range services {
		var d described
		if json.Unmarshal(raw, &d) == nil {
			services[i] = a.view(a.services[d.ARN], raw)
		}
	}
	return with(answer, response, "services", services)
}

// Answer takes the wish out of the emulator's answer to CreateService,
// UpdateService or DeleteService, and completes the answer. What the request says
// and moto does not keep is kept here.
func (a *Agent) Answer(request, response []byte) []byte {
	var asked, answer map[string]json.RawMessage
	var d described
	if json.Unmarshal(request, &asked) != nil || json.Unmarshal(response, &answer) != nil ||
		json.Unmarshal(answer["service"], &d) != nil {
		return response
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	a.reread = true
	defer a.rouse()
	s := a.observe(d)
	if s == nil {
		return response
	}
	for _, name := range settings {
		if value := asked[name]; value != nil && !s.gone {
			s.kept[name] = value
		}
	}
	if kept, err := json.Marshal(s.kept); err == nil {
		_ = json.Unmarshal(kept, &s.described) // the same fields
	}
	return with(answer, response, "service", a.view(s, answer["service"]))
}

// ListServices takes the deleted services out of the emulator's answer, which ECS
// lists no more once their tasks have stopped.
func (a *Agent) ListServices(_, response []byte) []byte {
	var answer map[string]json.RawMessage
	var arns []string
	if json.Unmarshal(response, &answer) != nil || json.Unmarshal(answer["serviceArns"], &arns) != nil {
		return response
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	arns = slices.DeleteFunc(arns, func(arn string) bool { return a.inactive[arn] })
	return with(answer, response, "serviceArns", arns)
}

func with(answer map[string]json.RawMessage, otherwise []byte, name string, value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		return otherwise
	}
	answer[name] = encoded
	if encoded, err = json.Marshal(answer); err != nil {
		return otherwise
	}
	return encoded
}

// view is a service as ECS would tell it; what is not known here stays.
func (a *Agent) view(s *service, raw json.RawMessage) json.RawMessage {
	var fields map[string]any
	if s == nil || json.Unmarshal(raw, &fields) != nil {
		return raw
	}
	for name, value := range s.kept {
		fields[name] = value
	}
	var pending, active int
	deployments := []map[string]any{}
	for i, d := range s.deployments {
		v, p, r := a.viewDeployment(s, d, i == 0)
		for _, name := range []string{"launchType", "platformVersion", "networkConfiguration", "capacityProviderStrategy"} {
			if value, ok := fields[name]; ok {
				v[name] = value
			}
		}
		pending, active = pending+p, active+r
		if i == 0 || p+r > 0 || d.state == types.DeploymentRolloutStateFailed {
			deployments = append(deployments, v)
		}
	}
	events := []map[string]any{}
	for _, e := range s.events {
		events = append(events, map[string]any{"id": e.id, "createdAt": epoch(e.created), "message": e.message})
	}
	fields["deployments"], fields["events"] = deployments, events
	fields["pendingCount"], fields["runningCount"] = pending, active
	fields["createdAt"] = epoch(s.created)
	if s.gone {
		fields["desiredCount"] = 0
		if len(a.unfinished(s)) > 0 {
			fields["status"] = "DRAINING"
		}
	}
	changed, err := json.Marshal(fields)
	if err != nil {
		return raw
	}
	return changed
}

func (a *Agent) viewDeployment(s *service, d *deployment, primary bool) (v map[string]any, pending, active int) {
	tasks := a.which(func(t *task) bool { return t.service == s && t.deployment == d && t.code == "" })
	for _, t := range tasks {
		if t.status == running {
			active++
		} else {
			pending++
		}
	}
	status, desired := "ACTIVE", len(tasks)
	if primary {
		status, desired = "PRIMARY", s.Desired
	}
	return map[string]any{
		"id": d.id, "status": status, "taskDefinition": d.definition,
		"desiredCount": desired, "pendingCount": pending, "runningCount": active, "failedTasks": d.failed,
		"createdAt": epoch(d.created), "updatedAt": epoch(d.updated), "platformFamily": "Linux",
		"rolloutState": d.state, "rolloutStateReason": d.reason,
	}, pending, active
}

// epoch is a time as awsJson1.1 has it.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
