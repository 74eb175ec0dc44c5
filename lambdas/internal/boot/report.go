package boot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// Report makes of an error what Lambda reports under the name that ErrorEquals
// expects; nil stays nil. Lambda takes the name of the outermost Go type of any
// other error, which is wrapError for most. It must be a value: aws-lambda-go does
// not look for a pointer or below a wrap.
func Report(err error) error {
	if err == nil {
		return nil
	}
	return messages.InvokeResponse_Error{Type: nameOf(err), Message: wordsOf(err)}
}

// nameOf is one of statemachine.Errors: the fault's own, or what the SDK's error
// amounts to.
func nameOf(err error) string {
	var list fault.List
	switch f := fault.As(err); {
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

// wordsOf leaves out what wraps a fault: that is for the log.
func wordsOf(err error) string {
	var list fault.List
	if errors.As(err, &list) {
		return list.Error()
	}
	if f := fault.As(err); f != nil {
		return f.Error()
	}
	return err.Error()
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

// unreadable says which field of an input is of the wrong type. The input itself
// is not repeated: it may hold what nobody should read in a log.
func unreadable(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return fault.New(statemachine.ErrBadRequest, "The input cannot be read as JSON of the type that this function takes.").
			WithNext("Compare it with the example in the README.")
	}
	return fault.New(statemachine.ErrBadRequest, "The field %q must be %s.", wrong.Field, kindOf(wrong.Type)).In(wrong.Field).
		WithNext("Change it and start again.")
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a map"
	default:
		return "a whole number"
	}
}
