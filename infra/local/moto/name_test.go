package moto_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"previewenv/infra/local/moto"
)

func TestAnExecutionsNameIsTakenAgainOnlyForTheSameInputWhileItRuns(t *testing.T) {
	bin, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		t.Fatal(err)
	}
	server, err := moto.Start(t.Context(), moto.Options{Python: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	client := sfn.New(sfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL.String()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "secret", ""),
	})
	machine, err := client.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String("waits"), RoleArn: aws.String("arn:aws:iam::123456789012:role/r"),
		Definition: aws.String(`{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":600,"End":true}}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	start := func(input string) (string, bool) {
		out, err := client.StartExecution(t.Context(), &sfn.StartExecutionInput{
			StateMachineArn: machine.StateMachineArn, Name: aws.String("pr1-1-1"), Input: &input,
		})
		if _, exists := errors.AsType[*types.ExecutionAlreadyExists](err); exists {
			return "", false
		}
		if err != nil {
			t.Fatal(err)
		}
		return *out.ExecutionArn, true
	}
	first, _ := start(`{"n":1}`)
	if again, ok := start(`{"n":1}`); !ok || again != first {
		t.Errorf("the same input while it runs: %q, %t", again, ok)
	}
	if _, ok := start(`{"n":2}`); ok {
		t.Error("another input is taken while it runs")
	}
	if _, err := client.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &first}); err != nil {
		t.Fatal(err)
	}
	for _, input := range []string{`{"n":1}`, `{"n":2}`} {
		if _, ok := start(input); ok {
			t.Errorf("a closed execution's name is taken again with %s", input)
		}
	}
}
