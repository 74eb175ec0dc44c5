package boot

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda/messages"

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
	return messages.InvokeResponse_Error{Type: fault.NameOf(err), Message: wordsOf(err)}
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
