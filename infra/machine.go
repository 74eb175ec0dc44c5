package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/jsii-runtime-go"

	"previewenv/statemachine"
)

// makeMachine makes the state machine. A definition that is given as text grants
// nothing, so each function is granted by itself. Its log has every event and no
// data: inputs hold what developers typed.
func (p *previews) makeMachine() error {
	var definition bytes.Buffer
	if err := json.Compact(&definition, []byte(statemachine.Definition)); err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	log := awslogs.NewLogGroup(p.stack, jsii.String("MachineLog"), &awslogs.LogGroupProps{
		// Step Functions asks for this beginning where a policy would get too long
		// (docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html).
		LogGroupName: jsii.String("/aws/vendedlogs/states/" + p.machineName()),
		Retention:    awslogs.RetentionDays_THREE_MONTHS, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(p.stack, jsii.String("MachineRole"), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), nil),
		Description: jsii.String("Of the state machine: it invokes the functions of its Task states and nothing else."),
	})
	arns := map[string]*string{}
	for _, task := range statemachine.Tasks {
		f, ok := p.functions[task.Function]
		if !ok {
			return fmt.Errorf("make state machine: its state %s needs the function %s", task.State, task.Function)
		}
		if _, granted := arns[statemachine.Substitution(task.Function)]; !granted {
			role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Actions: jsii.Strings("lambda:InvokeFunction"), Resources: &[]*string{f.lambda.FunctionArn()},
			}))
		}
		arns[statemachine.Substitution(task.Function)] = f.lambda.FunctionArn()
	}
	p.machine = awsstepfunctions.NewStateMachine(p.stack, jsii.String("Machine"), &awsstepfunctions.StateMachineProps{
		StateMachineName: jsii.String(p.machineName()), Role: role,
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromString(jsii.String(definition.String())),
		DefinitionSubstitutions: &arns,
		TracingEnabled:          jsii.Bool(true),
		Logs: &awsstepfunctions.LogOptions{
			Destination: log, Level: awsstepfunctions.LogLevel_ALL, IncludeExecutionData: jsii.Bool(false),
		},
	})
	afterPolicies(p.machine, policyOf(role))
	accept(role, "AwsSolutions-IAM5", "The delivery of logs and the sending of traces have no resource level on AWS; CDK grants exactly these.", "Resource::*")
	p.output("StateMachine", p.machine.StateMachineArn(), "Where executions are started and watched.")
	return nil
}
