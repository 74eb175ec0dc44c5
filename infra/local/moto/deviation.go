package moto

import (
	"regexp"

	"previewenv/infra/local/model"
)

// deviation is something of the emulator's answers that AWS's models do not allow,
// and that no function of the suite looks at.
type deviation struct {
	service, operation string
	member             *regexp.Regexp
	reason             string
}

var deviations = []deviation{}

// Deviates is why an answer may violate the models; empty if nothing speaks for it.
func Deviates(v model.Violation) string {
	if !v.Answer {
		return ""
	}
	for _, d := range deviations {
		if d.service == v.Service && d.operation == v.Operation && d.member.MatchString(v.Member) {
			return d.reason
		}
	}
	return ""
}
