package statemachine

import (
	_ "embed"
	"fmt"
	"strings"
)

// Definition is the state machine as it is deployed, with ${<Function>Arn} for
// each function.
//
//go:embed environment.asl.json
var Definition string

// Task is one Task state: which function runs it, and what it takes.
type Task struct {
	State    string
	Function string // folder in lambdas/
	Input    any    // zero value of the type that its Parameters are
}

// Tasks lists every Task state in the order of a life.
var Tasks = []Task{
	{"ExtractConfigurations", "plan", ExtractInput{}},
	{"OpenRoute", "route", ResourceInput{}},
	{"CreateQueue", "queue", ResourceInput{}},
	{"BuildFrontend", "build", BuildInput{}},
	{"UploadFrontend", "frontend", ResourceInput{}},
	{"BuildBackend", "build", BuildInput{}},
	{"CreateTargetGroup", "targetgroup", ResourceInput{}},
	{"CreateListenerRule", "rule", ResourceInput{}},
	{"RunService", "service", ResourceInput{}},
	{"AwaitHealthy", "service", ResourceInput{}},
	{"PublishRoute", "route", ResourceInput{}},
	{"AwaitReady", "route", ResourceInput{}},
	{"TuneTargetGroup", "targetgroup", ResourceInput{}},
	{"ClaimExpiry", "hold", HoldInput{}},
	{"Hold", "hold", HoldInput{}},
	{"Recover", "plan", RecoverInput{}},
	{"ClaimRemoval", "hold", HoldInput{}},
	{"CleanUp", "cleanup", CleanUpInput{}},
	{"RemoveRoute", "route", ResourceInput{}},
	{"RemoveListenerRule", "rule", ResourceInput{}},
	{"RemoveService", "service", ResourceInput{}},
	{"RemoveTargetGroup", "targetgroup", ResourceInput{}},
	{"RemoveQueue", "queue", ResourceInput{}},
	{"RemoveFrontend", "frontend", ResourceInput{}},
}

// Substitution is the name that stands for a function's ARN in the definition.
func Substitution(function string) string {
	return strings.ToUpper(function[:1]) + function[1:] + "Arn"
}

// Render fills the functions' ARNs into the definition; arn is given a folder of
// lambdas/.
func Render(arn func(function string) string) string {
	definition := Definition
	for _, t := range Tasks {
		definition = strings.ReplaceAll(definition, "${"+Substitution(t.Function)+"}", arn(t.Function))
	}
	return definition
}

// ExecutionName is the name of the execution that the door starts: the same
// delivery twice is one execution. It is at most 80 characters of those that
// CloudWatch Logs takes (botocore, StartExecution).
func ExecutionName(environment string, incarnation, revision int) string {
	return fmt.Sprintf("%s-%d-%d", environment, incarnation, revision)
}
