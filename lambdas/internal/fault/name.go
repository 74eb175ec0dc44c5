package fault

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"previewenv/statemachine"
)

// NameOf is one of statemachine.Errors: the fault's own, or what the SDK's error
// amounts to.
func NameOf(err error) string {
	var list List
	switch f := As(err); {
	case errors.As(err, &list):
		return statemachine.ErrBadRequest
	case f != nil:
		return f.Name
	case throttled(err):
		return statemachine.ErrThrottled
	case passing(err):
		return statemachine.ErrUnavailable
	default:
		return statemachine.ErrInternal
	}
}

func throttled(err error) bool {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() == http.StatusTooManyRequests {
		return true
	}
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}

// passing tells errors that go away by themselves: no connection, no answer in
// time, a failure on the side of AWS.
func passing(err error) bool {
	var response *smithyhttp.ResponseError
	switch {
	case errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError:
		return true
	case errors.Is(err, context.DeadlineExceeded):
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary ||
		retry.IsErrorTimeouts(retry.DefaultTimeouts).IsErrorTimeout(err) == aws.TrueTernary
}
