// Package step is what the functions do: one type a state, in the order of a life.
// A step reads the record, checks that it is still wanted, does its work through a
// kind or a client, and writes down what came of it. It takes its clients from
// whoever makes it and never reads the environment of its process.
package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

// waitEnder ends the waits of executions.
type waitEnder interface {
	SendTaskSuccess(context.Context, *sfn.SendTaskSuccessInput, ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error)
	SendTaskFailure(context.Context, *sfn.SendTaskFailureInput, ...func(*sfn.Options)) (*sfn.SendTaskFailureOutput, error)
}

// starter starts executions.
type starter interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// startExecution starts the execution of a revision, whose name it bears: the same
// one twice is one.
func startExecution(ctx context.Context, client starter, records *record.Store, machine string, env record.Environment, input statemachine.Request) error {
	data, err := json.Marshal(input)
	if err != nil {
		return err
	}
	name := statemachine.ExecutionName(env.Name, env.Incarnation, env.Revision)
	_, err = client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &machine, Input: aws.String(string(data)), Name: &name,
	})
	var exists *types.ExecutionAlreadyExists
	if errors.As(err, &exists) {
		return tookUp(ctx, records, env, name)
	}
	if err != nil {
		return fmt.Errorf("start execution for %s: %w", env.Name, err)
	}
	return nil
}

// tookUp tells an execution that did what was asked from one that will never do it.
// The input is made of the record, so that the name is refused only when its execution
// has closed (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
// It was started by an attempt whose answer was lost if the record names it, or is not
// what it was when it was asked for.
func tookUp(ctx context.Context, records *record.Store, asked record.Environment, name string) error {
	now, ok, err := records.Get(ctx, asked.Name)
	if err != nil {
		return err
	}
	if ok && (now.Revision != asked.Revision || now.State != asked.State || strings.HasSuffix(now.Execution, ":"+name)) {
		return nil
	}
	return fault.New(statemachine.ErrUnavailable, "Nothing was started for %s: its execution %s has ended already, without taking the request up.", asked.Name, name).
		WithNext("The sweep puts %s right within five minutes; ask again then.", asked.Name)
}

// startWanted starts the execution that provisions what a record wants. Its input is
// the record's alone, whoever asks: for the same input Step Functions takes the same
// name again while the execution runs.
func startWanted(ctx context.Context, client starter, records *record.Store, machine string, env record.Environment) error {
	asked, err := request.Of(env.Wanted)
	if err != nil {
		return err
	}
	asked.Revision, asked.RequestedBy, asked.Channel = env.Revision, env.Owner, env.Channel
	return startExecution(ctx, client, records, machine, env, asked)
}

// endWait sends a task token back. An execution that no longer waits is no error:
// ended is false then.
func endWait(ctx context.Context, client waitEnder, token, output string) (ended bool, err error) {
	_, err = client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: &output})
	if stale(err) {
		return false, nil
	}
	return err == nil, err
}

// failWait sends a fault to an execution that waits.
func failWait(ctx context.Context, client waitEnder, token string, f *fault.Fault) error {
	_, err := client.SendTaskFailure(ctx, &sfn.SendTaskFailureInput{
		TaskToken: &token, Error: aws.String(f.Name), Cause: aws.String(f.Error()),
	})
	if stale(err) {
		return nil
	}
	return err
}

// stale tells that an execution does not wait on the token any more: it went on,
// timed out, or was stopped.
func stale(err error) bool {
	var timedOut *types.TaskTimedOut
	var missing *types.TaskDoesNotExist
	var invalid *types.InvalidToken
	return errors.As(err, &timedOut) || errors.As(err, &missing) || errors.As(err, &invalid)
}

// named gives every error the shape that a person can read, and the name by which the
// state machine knows whether to try again.
func named(err error, service, state string) *fault.Fault {
	f := fault.As(err)
	if f == nil {
		f = fault.New(fault.NameOf(err), "%s", err.Error()).
			WithNext("Ask again; if it stays, tell the platform team.")
		f.Cause = err
	}
	named := *f
	if named.Service == "" {
		named.Service = service
	}
	if named.Step == "" {
		named.Step = state
	}
	return &named
}

// passes tells whether an error is expected to pass by a retry, and therefore is
// no news for a person yet.
func passes(err error) bool {
	switch fault.NameOf(err) {
	case statemachine.ErrNotYet, statemachine.ErrSuperseded, statemachine.ErrThrottled, statemachine.ErrUnavailable:
		return true
	}
	return false
}

// failService leaves a fault on the row of a service, where the status message
// and Recover find it, with what was waited for last: what a target answered is
// gone once ECS has taken it away.
func failService(ctx context.Context, records *record.Store, environment, service string, revision int, f *fault.Fault) error {
	return records.SetService(ctx, environment, service, revision, func(row *record.Service) {
		whole := *f
		if row.Detail != "" && row.Fault == nil {
			whole.What += " Before that: " + row.Detail
		}
		row.State, row.Fault, row.Detail = record.ServiceFailed, &whole, ""
		if f.Log != "" {
			row.Log = f.Log
		}
	})
}
