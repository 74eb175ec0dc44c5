package access

import (
	"maps"
	"slices"
	"strings"

	"previewenv/infra/local/edge"
)

func (w *Witness) ecs(call edge.Call, in input) ([]Request, error) {
	action := "ecs:" + call.Operation
	cluster := in.text("cluster")
	in["cluster"] = cluster[strings.LastIndex(cluster, "/")+1:]
	inCluster := map[string]string{"ecs:cluster": arn("ecs", "cluster/"+in.text("cluster"))}
	service := func(name string) string { return arn("ecs", "service/"+in.text("cluster")+"/"+w.name(name)) }
	switch call.Operation {
	case "ListServices", "ListTasks":
		return []Request{{Action: action, Resource: "*", Context: inCluster}}, nil
	case "ListTaskDefinitions", "ListTaskDefinitionFamilies", "DescribeTaskDefinition", "DeregisterTaskDefinition":
		return one(action, "*"), nil
	case "DescribeTasks":
		return []Request{{Action: action, Resource: arn("ecs", "task/"+in.text("cluster")+"/0123456789abcdef0123456789abcdef"), Context: inCluster}}, nil
	case "DescribeServices":
		var asked []Request
		for _, name := range in.list("services") {
			asked = append(asked, Request{Action: action, Resource: service(name), Context: inCluster})
		}
		return asked, nil
	case "CreateService":
		made := service(in.text("serviceName"))
		return created(action, made, made, jsonTags(in)), nil
	case "UpdateService", "DeleteService":
		if !w.mayLook(call) {
			return nil, nil
		}
		return onThere(action, service(in.text("service")), w.tags.service(cluster, in.text("service"))), nil
	case "RegisterTaskDefinition":
		made := definition(w.name(in.text("family")))
		return append(created(action, made, made, jsonTags(in)), passed(in)...), nil
	case "DeleteTaskDefinitions":
		return w.deletedDefinitions(call, in), nil
	}
	return nil, errUnknown
}

func definition(family string) string { return arn("ecs", "task-definition/"+family+":1") }

func (w *Witness) deletedDefinitions(call edge.Call, in input) []Request {
	var asked []Request
	for _, name := range in.list("taskDefinitions") {
		if !w.mayLook(call) {
			continue
		}
		family, _, _ := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
		asked = append(asked, onThere("ecs:DeleteTaskDefinitions", definition(w.name(family)), w.tags.definition(name))...)
	}
	return asked
}

// roles are those that a task definition hands over, by its members. Which there are
// only the catalog of an installation knows; these are of infra's.
var roles = map[string]string{"taskRoleArn": "preview/service1", "executionRoleArn": "staging-execution"}

// passed are the roles that a call hands over.
func passed(in input) []Request {
	var asked []Request
	for _, key := range slices.Sorted(maps.Keys(roles)) {
		if in.text(key) != "" {
			asked = append(asked, Request{
				Action: "iam:PassRole", Resource: "arn:aws:iam::" + Account + ":role/" + roles[key],
				Context: map[string]string{"iam:PassedToService": "ecs-tasks.amazonaws.com"},
			})
		}
	}
	return asked
}

func jsonTags(in input) map[string]string {
	tags := map[string]string{}
	all, _ := in["tags"].([]any)
	for _, v := range all {
		if tag, ok := v.(map[string]any); ok {
			tags[input(tag).text("key")] = input(tag).text("value")
		}
	}
	return tags
}

func (w *Witness) sqs(call edge.Call, in input) ([]Request, error) {
	action := "sqs:" + call.Operation
	name := in.text("QueueName")
	if name == "" {
		name = in.text("QueueUrl")
	}
	queue := arn("sqs", w.name(name))
	switch call.Operation {
	case "ListQueues":
		return one(action, "*"), nil
	case "CreateQueue":
		tags := map[string]string{}
		all, _ := in["tags"].(map[string]any)
		for key := range all {
			tags[key] = input(all).text(key)
		}
		context := tagged("aws:RequestTag", tags)
		return []Request{{Action: action, Resource: queue, Context: context}, {Action: "sqs:TagQueue", Resource: queue, Context: context}}, nil
	case "DeleteQueue":
		if !w.mayLook(call) {
			return nil, nil
		}
		return onThere(action, queue, w.tags.queue(in.text("QueueUrl"))), nil
	}
	return one(action, queue), nil
}
