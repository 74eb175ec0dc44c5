// Package boot starts a function: configuration, AWS clients, the logger, and the
// boundary at which an error gets the name that the state machine knows and is
// logged once. It knows nothing of what a function does, and alone knows that
// functions run on Lambda.
package boot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// attempts of one AWS call. Five outlast a burst of throttling within seconds; what
// takes longer is left to the state machine, which waits without being paid for.
const attempts = 5

// Start builds the function's rule and serves it; it does not return. What build
// makes is kept for every invocation, so build makes clients and calls nothing: a
// network call here would be paid by the first person who waits.
func Start[C, In, Out any](build func(ctx context.Context, c C, cfg aws.Config) (func(context.Context, In) (Out, error), error)) {
	// aws-lambda-go logs every error that is returned to it; serve has logged it
	// already, with more. Its copy shows at debug level.
	slog.SetLogLoggerLevel(slog.LevelDebug)
	slog.SetDefault(lambdacontext.NewLogger())
	handle, err := prepare(context.Background(), build)
	if err != nil {
		slog.Error("function did not start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(serve(handle))
}

func prepare[C, In, Out any](ctx context.Context, build func(context.Context, C, aws.Config) (func(context.Context, In) (Out, error), error)) (func(context.Context, In) (Out, error), error) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return nil, fmt.Errorf("find Lambda: AWS_LAMBDA_RUNTIME_API is not set; this program is a Lambda function, run it with make local")
	}
	c, err := config.Load[C]()
	if err != nil {
		return nil, err
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithRetryMode(aws.RetryModeStandard), awsconfig.WithRetryMaxAttempts(attempts))
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	return build(ctx, c, cfg)
}

// serve is the boundary around a rule: nothing but a messages.InvokeResponse_Error
// leaves it as an error, and a panic leaves it as one that ends the process.
func serve[In, Out any](handle func(context.Context, In) (Out, error)) func(context.Context, json.RawMessage) (Out, error) {
	return func(ctx context.Context, payload json.RawMessage) (out Out, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				slog.ErrorContext(ctx, "function panicked", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
				err = messages.InvokeResponse_Error{
					Type: statemachine.ErrInternal, Message: "The function panicked; its log says where.", ShouldExit: true,
				}
			}
		}()
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return out, report(ctx, unreadable(err))
		}
		if out, err = handle(ctx, in); err != nil {
			return out, report(ctx, err)
		}
		return out, nil
	}
}

// report logs an error once, with everything that wraps it, and gives it its name.
func report(ctx context.Context, err error) error {
	level, name := slog.LevelError, fault.NameOf(err)
	// Neither is a failure: one is waiting, the other lost a race as it should.
	if name == statemachine.ErrNotYet || name == statemachine.ErrSuperseded {
		level = slog.LevelInfo
	}
	slog.Log(ctx, level, "invocation ended with an error", "name", name, "error", err.Error())
	return Report(err)
}
