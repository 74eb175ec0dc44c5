package kind_test

import (
	"encoding/json"
	"strings"
	"testing"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

func TestASpecificationOfAnotherReleaseIsRead(t *testing.T) {
	type spec struct {
		Name string `json:"name"`
		Port int32  `json:"port"`
	}
	tests := []struct{ rule, raw, wrong string }{
		{"one that it knows", `{"name": "a", "port": 80}`, ""},
		{"one with a field of the next release", `{"name": "a", "port": 80, "protocol": {"version": 2}}`, ""},
		{"one of another type is named", `{"name": "a", "port": "http"}`, "port"},
		{"text that is no JSON is refused", `{"name"`, "unexpected end"},
		{"so is what stands behind it", `{"name": "a"} {}`, "after top-level value"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got, err := kind.Decode[spec](kind.Resource{Name: "web", Environment: "pr1", Spec: json.RawMessage(test.raw)})
			if test.wrong == "" {
				if err != nil || got != (spec{"a", 80}) {
					t.Errorf("Decode = %+v, %v", got, err)
				}
				return
			}
			if !fault.Is(err, statemachine.ErrInternal) || !strings.Contains(err.Error(), test.wrong) || !strings.Contains(err.Error(), "web in pr1") {
				t.Errorf("Decode = %v, want a fault that names %q", err, test.wrong)
			}
		})
	}
}
