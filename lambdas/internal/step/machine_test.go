package step

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

const machineARN = "arn:aws:states:us-east-1:123456789012:stateMachine:previews"

// nameKept is how long Step Functions refuses the name of a closed execution
// (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
const nameKept = 90 * 24 * time.Hour

// started is an execution as Step Functions knows it.
type started struct {
	input  string
	closed time.Time // zero while it runs
}

// machine starts executions as Step Functions does: a name that runs is taken again
// for the same input, and one that has closed is refused for 90 days.
type machine struct {
	waits
	now   func() time.Time
	named map[string]*started
	lose  bool // the answer of the next start
	ends  bool // the next one, before its answer is lost
}

func (m *machine) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	name := *in.Name
	if e, ok := m.named[name]; ok && (e.closed.IsZero() && e.input != *in.Input || !e.closed.IsZero() && m.now().Sub(e.closed) < nameKept) {
		return nil, &sfntypes.ExecutionAlreadyExists{Message: aws.String("Execution Already Exists: '" + name + "'")}
	}
	if e, ok := m.named[name]; !ok || !e.closed.IsZero() {
		m.named[name] = &started{input: *in.Input}
	}
	if m.ends {
		m.named[name].closed, m.ends = m.now(), false
	}
	if m.lose {
		m.lose = false
		return nil, context.DeadlineExceeded
	}
	return &sfn.StartExecutionOutput{ExecutionArn: aws.String(executionARN(name))}, nil
}

func executionARN(name string) string {
	return strings.Replace(machineARN, ":stateMachine:", ":execution:", 1) + ":" + name
}
