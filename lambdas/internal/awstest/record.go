package awstest

import (
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// prefixes are IAM's service prefixes, by the SDK's service ids.
var prefixes = map[string]string{
	"CloudFront":                  "cloudfront",
	"CloudFront KeyValueStore":    "cloudfront-keyvaluestore",
	"CloudWatch Logs":             "logs",
	"CodeBuild":                   "codebuild",
	"DynamoDB":                    "dynamodb",
	"ECR":                         "ecr",
	"ECS":                         "ecs",
	"Elastic Load Balancing v2":   "elasticloadbalancing",
	"Resource Groups Tagging API": "tag",
	"S3":                          "s3",
	"SFN":                         "states",
	"SQS":                         "sqs",
	"SSM":                         "ssm",
	"Secrets Manager":             "secretsmanager",
}

// recorder keeps what one test called, and what it wants to go wrong.
type recorder struct {
	mu    sync.Mutex
	calls []string
	fails map[string][]error
	pages int
}

var recorders sync.Map // testing.TB → *recorder

func recorderOf(t testing.TB) *recorder {
	r, loaded := recorders.LoadOrStore(t, &recorder{fails: map[string][]error{}})
	if !loaded {
		t.Cleanup(func() { recorders.Delete(t) })
	}
	return r.(*recorder)
}

// Calls are the API calls of the test so far, in order, each as IAM's prefix and
// the operation: "ecs:CreateService". Those of a Quiet
// configuration are not among them.
func Calls(t testing.TB) []string {
	r := recorderOf(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}

// Forget empties Calls.
func Forget(t testing.TB) {
	r := recorderOf(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

// Fail makes the next calls of an operation ("ecs:CreateService") fail with the
// given errors, one a call, before they reach the emulator; the client does not
// retry them. A nil lets one pass.
func Fail(t testing.TB, operation string, errs ...error) {
	r := recorderOf(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails[operation] = append(r.fails[operation], errs...)
}

// Pages makes every list of the test answer at most size elements and a token for
// the rest, whether the emulator has pages for it or not.
func Pages(t testing.TB, size int) {
	r := recorderOf(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages = size
}

func (r *recorder) attach(cfg *aws.Config) {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		// After the operation's own Initialize steps, which put its name into the context.
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awstest", r.handle), middleware.After)
	})
}

func (r *recorder) handle(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	service := awsmiddleware.GetServiceID(ctx)
	if known, ok := prefixes[service]; ok {
		service = known
	}
	operation := service + ":" + awsmiddleware.GetOperationName(ctx)
	pages, err := r.note(operation)
	if err != nil {
		return middleware.InitializeOutput{}, middleware.Metadata{}, &smithy.OperationError{
			ServiceID: service, OperationName: operation, Err: err,
		}
	}
	if pages == 0 {
		return next.HandleInitialize(ctx, in)
	}
	return paged(ctx, in, next, pages)
}

func (r *recorder) note(operation string) (pages int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, operation)
	if len(r.fails[operation]) == 0 {
		return r.pages, nil
	}
	err = r.fails[operation][0]
	r.fails[operation] = r.fails[operation][1:]
	return r.pages, err
}
