package request

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/statemachine"
)

func TestWhatWasWantedIsWantedAgain(t *testing.T) {
	for name, overrides := range map[string]string{
		"without overrides":          ``,
		"with a variable":            `{"LOG_LEVEL": "debug"}`,
		"with a secret of a service": `{"service1": {"API_KEY": {"secret": "shop/key"}, "EMPTY": ""}}`,
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := validator()
			first, err := v.Validate(t.Context(), statemachine.Request{
				CommitID: head, ServicesToProvision: []string{"service1"}, ProvisionQueues: true, TTLMinutes: 90,
				EnvironmentVariablesOverrides: json.RawMessage(overrides),
			})
			if err != nil {
				t.Fatal(err)
			}
			again, err := Of(first)
			if err != nil {
				t.Fatal(err)
			}
			second, err := v.Validate(t.Context(), again)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("the second request wants something else (-first +second):\n%s", diff)
			}
		})
	}
}
