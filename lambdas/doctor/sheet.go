package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"previewenv/lambdas/internal/fault"
)

// sheet is what one check writes on.
type sheet struct{ Check }

func (s *sheet) add(f Finding) {
	// One call that is denied is one line, whatever it was asked about.
	if f.Level == NotChecked && slices.ContainsFunc(s.Findings, func(g Finding) bool { return g.Seen == f.Seen }) {
		return
	}
	s.Findings = append(s.Findings, f)
}

// good says what was looked at, in case nothing is found.
func (s *sheet) good(format string, args ...any) { s.Seen = fmt.Sprintf(format, args...) }

func (s *sheet) fails(name, about, seen, do string) { s.add(Finding{name, Fails, about, seen, do}) }

func (s *sheet) warns(name, about, seen, do string) { s.add(Finding{name, Warns, about, seen, do}) }

// unknown notes what could not be looked at.
func (s *sheet) unknown(about string, err error) {
	f := Finding{Name: "not-checked", Level: NotChecked, About: about}
	action, denied := deniedAction(err)
	var other elsewhere
	switch {
	case denied:
		f.Name, f.About, f.Seen = "denied", "", action+" is denied"
		f.Do = "Allow " + action + " to whoever runs this, or run it as somebody who may."
	case errors.As(err, &other):
		f.Name, f.About, f.Seen = "see-above", "", err.Error()
	default:
		f.Seen = strings.Join(strings.Fields(err.Error()), " ")
	}
	s.add(f)
}

// blamed notes a fault under a name, and any other error as unknown.
func (s *sheet) blamed(name, about string, err error) {
	var list fault.List
	if errors.As(err, &list) {
		for _, f := range list {
			s.fails(name, about, f.What, f.Next)
		}
		return
	}
	if f := fault.As(err); f != nil {
		s.fails(name, about, f.What, f.Next)
		return
	}
	s.unknown(about, err)
}

// prefixes are IAM's, by the SDK's service ids, where they differ from the id in
// lower case.
var prefixes = map[string]string{
	"CloudWatch Logs":           "logs",
	"Elastic Load Balancing v2": "elasticloadbalancing",
	"Secrets Manager":           "secretsmanager",
	"Service Quotas":            "servicequotas",
	"Route 53":                  "route53",
	"CodeConnections":           "codeconnections",
}

// deniedAction is the IAM action that an error denies.
func deniedAction(err error) (action string, denied bool) {
	if code := codeOf(err); !strings.Contains(code, "AccessDenied") && code != "UnauthorizedOperation" && code != "NotAuthorized" {
		return "", false
	}
	var call *smithy.OperationError
	if !errors.As(err, &call) {
		return "a call", true
	}
	prefix, ok := prefixes[call.ServiceID]
	if !ok {
		prefix = strings.ToLower(call.ServiceID)
	}
	return prefix + ":" + call.OperationName, true
}

// codeOf is AWS's code of an error, empty for one that is not AWS's.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// once reads something for all checks. Whoever reads it first is told the error, the
// others where it stands.
type once[T any] struct {
	asked bool
	value T
	err   error
}

func (o *once[T]) get(where string, read func() (T, error)) (T, error) {
	if !o.asked {
		o.asked = true
		o.value, o.err = read()
		return o.value, o.err
	}
	if o.err != nil {
		return o.value, elsewhere{where}
	}
	return o.value, nil
}

// elsewhere is in the way of a check because it was of another one, which told it.
type elsewhere struct{ where string }

func (e elsewhere) Error() string { return "it needs what was not found above: " + e.where }

// each calls do for every item until the context ends.
func each[T any](ctx context.Context, items []T, do func(T)) {
	for _, item := range items {
		if ctx.Err() == nil {
			do(item)
		}
	}
}
