package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

func answered(status int, err error) error {
	return fmt.Errorf("call: %w", &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err})
}

func TestReport(t *testing.T) {
	full := fault.New(statemachine.ErrNoRoom, "The load balancer is full.").WithNext("Remove one.")
	list := fault.List{fault.New(statemachine.ErrBadRequest, "One."), fault.New(statemachine.ErrBadRequest, "Two.")}
	tests := []struct {
		rule       string
		err        error
		name, says string
	}{
		{"a fault keeps its name and words", full, statemachine.ErrNoRoom, "The load balancer is full. Remove one."},
		{"what wraps a fault is for the log", fmt.Errorf("ensure rule pr1: %w", full), statemachine.ErrNoRoom, "The load balancer is full. Remove one."},
		{"a list has every line", fmt.Errorf("validate: %w", list.Err()), statemachine.ErrBadRequest, "One.\nTwo."},
		{"throttling is told by its code", fmt.Errorf("x: %w", &smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow"}), statemachine.ErrThrottled, "x: api error ThrottlingException: slow"},
		{"so is that of ELBv2", &smithy.GenericAPIError{Code: "Throttling"}, statemachine.ErrThrottled, ""},
		{"429 is throttling", answered(429, &smithy.GenericAPIError{Code: "Other"}), statemachine.ErrThrottled, ""},
		{"a failure of AWS passes", answered(500, &smithy.GenericAPIError{Code: "InternalFailure"}), statemachine.ErrUnavailable, ""},
		{"so does 507", answered(507, errors.New("odd")), statemachine.ErrUnavailable, ""},
		{"so does a timeout", fmt.Errorf("x: %w", context.DeadlineExceeded), statemachine.ErrUnavailable, ""},
		{"so does a lost connection", &net.OpError{Op: "dial", Err: &net.DNSError{IsTemporary: true}}, statemachine.ErrUnavailable, ""},
		{"so does a request that could not be sent", &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}, statemachine.ErrUnavailable, ""},
		{"a refusal of AWS does not", answered(400, &types.ClientException{}), statemachine.ErrInternal, ""},
		{"a missing permission does not", answered(403, &smithy.GenericAPIError{Code: "AccessDeniedException"}), statemachine.ErrInternal, ""},
		{"neither does a removal of the caller", context.Canceled, statemachine.ErrInternal, ""},
		{"anything else is a defect", errors.New("odd"), statemachine.ErrInternal, "odd"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got, ok := Report(test.err).(messages.InvokeResponse_Error) //nolint:errorlint // aws-lambda-go looks at the type alone
			if !ok {
				t.Fatalf("got %T", Report(test.err))
			}
			if got.Type != test.name || (test.says != "" && got.Message != test.says) {
				t.Errorf("got %s: %s", got.Type, got.Message)
			}
		})
	}
	if err := Report(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}
