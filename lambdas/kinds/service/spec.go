package service

import "github.com/aws/aws-sdk-go-v2/service/ecs"

// Spec is a service cloned from that of the baseline, with its task definition.
type Spec struct {
	Name           string                          `json:"name"` // of the service and of the task-definition family
	TaskDefinition ecs.RegisterTaskDefinitionInput `json:"taskDefinition"`
	Service        ecs.CreateServiceInput          `json:"service"` // without its target group, which is a need
	// TargetGroup is the "kind/name" key of the target group among the needs.
	TargetGroup string `json:"targetGroup"`
	// QueueVariables are the variables that hold the URL of a queue of the
	// environment: variable → "kind/name" key among the needs.
	QueueVariables map[string]string `json:"queueVariables,omitempty"`
	Container      string            `json:"container"` // the container that is overridden
}
