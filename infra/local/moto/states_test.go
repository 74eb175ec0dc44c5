package moto

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// lambda answers every invocation with {} once it may; invoked has one value for each.
type lambda struct {
	*httptest.Server

	invoked chan struct{}
	answer  chan struct{} // closed: at once
}

func newLambda(t *testing.T) *lambda {
	t.Helper()
	l := &lambda{invoked: make(chan struct{}, 10), answer: make(chan struct{})}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.invoked <- struct{}{}
		select {
		case <-l.answer:
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(l.CloseClientConnections)
	return l
}

// machine is a state machine whose only state is a Map of one item.
func machine(t *testing.T, item string) (client *sfn.Client, begin func(name string) string, invocations *lambda) {
	t.Helper()
	invocations = newLambda(t)
	server := start(t, Options{EdgePort: invocations.Listener.Addr().(*net.TCPAddr).Port})
	client = sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL.String()),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	definition := `{"StartAt":"Each","States":{
		"Each":{"Type":"Map","End":true,"ItemsPath":"$.items","ItemProcessor":{"StartAt":"Both","States":{
			"Both":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"Call","States":{"Call":` + item + `}}]}}},
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]},
		"Caught":{"Type":"Pass","End":true}}}`
	made, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("m"), RoleArn: aws.String("arn:aws:iam::123456789012:role/none"), Definition: &definition,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, func(name string) string {
		begun, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{
			StateMachineArn: made.StateMachineArn, Name: &name, Input: aws.String(`{"items":[1]}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(begun.ExecutionArn)
	}, invocations
}

func describe(t *testing.T, client *sfn.Client, execution string) *sfn.DescribeExecutionOutput {
	t.Helper()
	out, err := client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAStoppedExecutionIsAbortedAtOnce(t *testing.T) {
	client, begin, invocations := machine(t, `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
		"Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token"}},"End":true}`)
	close(invocations.answer)
	for name, wait := range map[string]func(){
		"while it waits for a token":  func() { <-invocations.invoked },
		"before it has done anything": func() {},
	} {
		t.Run(name, func(t *testing.T) {
			execution := begin(strings.ReplaceAll(name, " ", "-"))
			wait()
			if _, err := client.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &execution}); err != nil {
				t.Fatal(err)
			}
			if out := describe(t, client, execution); out.Status != types.ExecutionStatusAborted || out.StopDate == nil {
				t.Errorf("it is %s, stopped at %v", out.Status, out.StopDate)
			}
		})
	}
}

func TestATimeOutInsideAMapKeepsItsName(t *testing.T) {
	client, begin, invocations := machine(t, `{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f",
		"TimeoutSeconds":1,"End":true}`)
	defer close(invocations.answer)
	execution := begin("late")
	var out *sfn.DescribeExecutionOutput
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if out = describe(t, client, execution); out.Status != types.ExecutionStatusRunning {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it still runs")
		}
	}
	if !strings.Contains(aws.ToString(out.Output), `"States.Timeout"`) {
		t.Errorf("it ended as %s with %s", out.Status, aws.ToString(out.Output))
	}
}
