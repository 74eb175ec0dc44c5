package moto

import (
	"testing"

	"previewenv/infra/local/model"
)

func TestOnlyWhatIsListedMayDeviate(t *testing.T) {
	for name, c := range map[string]struct {
		violation model.Violation
		want      bool
	}{
		"a listed member of an answer": {model.Violation{Service: "ssm", Operation: "GetParameters", Answer: true, Member: "InvalidParameters"}, true},
		"another member":               {model.Violation{Service: "ssm", Operation: "GetParameters", Answer: true, Member: "Parameters"}, false},
		"another operation":            {model.Violation{Service: "ssm", Operation: "GetParameter", Answer: true, Member: "InvalidParameters"}, false},
		"a request":                    {model.Violation{Service: "ssm", Operation: "GetParameters", Member: "InvalidParameters"}, false},
		"a listed error":               {model.Violation{Service: "elasticloadbalancing", Operation: "DeleteTargetGroup", Answer: true, Value: `"TargetGroupNotFound"`}, true},
		"another error":                {model.Violation{Service: "elasticloadbalancing", Operation: "DeleteTargetGroup", Answer: true, Value: `"RuleNotFound"`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Deviates(c.violation) != ""; got != c.want {
				t.Errorf("it may deviate: %t", got)
			}
		})
	}
}
