// Package fault is the one shape of a failure that a person has to act on: what
// happened, why, and what to do next. It knows the error names of the state
// machine, and which of them an error of the AWS SDK amounts to; it knows nothing of
// where a fault is shown.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Fault is an error with a name that the state machine knows and words that a
// person can act on. It never holds a payload, a token or a secret.
type Fault struct {
	Name    string `json:"name" dynamodbav:"name"`                           // one of statemachine.Errors
	What    string `json:"what" dynamodbav:"what"`                           // what happened and why, one or two sentences
	Next    string `json:"next,omitempty" dynamodbav:"next,omitempty"`       // what to do
	Service string `json:"service,omitempty" dynamodbav:"service,omitempty"` // the service that failed
	Step    string `json:"step,omitempty" dynamodbav:"step,omitempty"`       // the state that failed
	Tail    string `json:"tail,omitempty" dynamodbav:"tail,omitempty"`       // the last lines of its log
	Log     string `json:"log,omitempty" dynamodbav:"log,omitempty"`         // link to the whole log
	Field   string `json:"field,omitempty" dynamodbav:"field,omitempty"`     // the field of a request, for a form
	Cause   error  `json:"-" dynamodbav:"-"`
}

// New makes a fault of the given name.
func New(name, format string, args ...any) *Fault {
	return &Fault{Name: name, What: fmt.Sprintf(format, args...)}
}

// WithNext says what to do about it.
func (f *Fault) WithNext(format string, args ...any) *Fault {
	f.Next = fmt.Sprintf(format, args...)
	return f
}

// In says which field of a request is at fault.
func (f *Fault) In(field string) *Fault {
	f.Field = field
	return f
}

// Error is the fault in one line, without its log.
func (f *Fault) Error() string {
	var b strings.Builder
	if f.Service != "" {
		b.WriteString(f.Service + ": ")
	}
	if f.Step != "" {
		b.WriteString(f.Step + ": ")
	}
	b.WriteString(f.What)
	if f.Next != "" {
		b.WriteString(" " + f.Next)
	}
	return b.String()
}

// Unwrap returns the error below, if there is one.
func (f *Fault) Unwrap() error { return f.Cause }

// As finds the fault in err, or nil.
func As(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// Is tells whether err is a fault of the given name.
func Is(err error, name string) bool {
	f := As(err)
	return f != nil && f.Name == name
}

// List is several faults of one request, all found at once.
type List []*Fault

// Err is nil when the list is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Error is one fault a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the first fault of the list.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, f := range l {
		errs[i] = f
	}
	return errs
}
