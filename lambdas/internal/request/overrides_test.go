package request

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
)

var backends = map[string]catalog.Service{
	"service1": {ECSService: "service1", Calls: map[string]string{"SERVICE2_HOST": "service2"}, Consumes: map[string]string{"ORDERS_QUEUE_URL": "orders"}},
	"service2": {ECSService: "service2"},
}

func TestOverridesReachTheBackendsTheyAreFor(t *testing.T) {
	debug := Value{Text: "debug"}
	tests := []struct {
		rule, raw string
		want      Overrides
	}{
		{"none are none", ``, nil},
		{"null is none", `null`, nil},
		{"an empty map is none", ` {} `, nil},
		{"the empty text of a form is none", `""`, nil},
		{"a flat map is for every backend", `{"LOG_LEVEL":"debug"}`,
			Overrides{"service1": {"LOG_LEVEL": debug}, "service2": {"LOG_LEVEL": debug}}},
		{"a map of maps is by service", `{"service1":{"LOG_LEVEL":"debug"}}`,
			Overrides{"service1": {"LOG_LEVEL": debug}}},
		{"that of a service wins", `{"service2":{"LOG_LEVEL":"warn"},"LOG_LEVEL":"debug"}`,
			Overrides{"service1": {"LOG_LEVEL": debug}, "service2": {"LOG_LEVEL": {Text: "warn"}}}},
		{"a secret is named", `{"DB_PASSWORD":{"secret":"shop/db"},"service2":{"KEY":{"secret":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"}}}`,
			Overrides{"service1": {"DB_PASSWORD": {Secret: "shop/db"}}, "service2": {
				"DB_PASSWORD": {Secret: "shop/db"}, "KEY": {Secret: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf"}}}},
		{"a service's map has a variable called secret", `{"service2":{"secret":"x"}}`,
			Overrides{"service2": {"secret": {Text: "x"}}}},
		{"an empty value empties a variable", `{"FLAGS":""}`,
			Overrides{"service1": {"FLAGS": {}}, "service2": {"FLAGS": {}}}},
		{"what another service calls is free", `{"service2":{"SERVICE2_HOST":"x"}}`,
			Overrides{"service2": {"SERVICE2_HOST": {Text: "x"}}}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got, faults := ParseOverrides(json.RawMessage(test.raw), backends)
			if len(faults) > 0 {
				t.Fatalf("refused: %v", faults)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOverridesAreRefusedInWords(t *testing.T) {
	tests := []struct {
		rule, raw string
		want      []string // one part of each fault
	}{
		{"a list is no map", `[1]`, []string{"it does not begin with {"}},
		{"broken JSON says where", `{"A":"b",}`, []string{"no JSON at character"}},
		{"nothing stands behind the map", `{"A":"b"} x`, []string{"something stands behind it"}},
		{"4 KB are enough", `{"A":"` + strings.Repeat("a", mostBytes) + `"}`, []string{"at most 4096"}},
		{"a number is no text", `{"A":1}`, []string{`"A" is no text`}},
		{"null is no text", `{"A":null}`, []string{`"A" is no text`}},
		{"a list is no text", `{"service1":{"A":[]}}`, []string{`"A" is no text`}},
		{"a name is that of a variable", `{"A-B":"c"}`, []string{`"A-B" is no name of a variable`}},
		{"the platform's variables are its own", `{"PORT":"1","AWS_REGION":"x","ECS_A":"x","PREVIEW_URL":"x"}`,
			[]string{"PORT is set", "AWS_REGION is set", "ECS_A is set", "PREVIEW_URL is set"}},
		{"so are those that the catalog maps", `{"SERVICE2_HOST":"x","service1":{"ORDERS_QUEUE_URL":"y"}}`,
			[]string{"SERVICE2_HOST of service1 is set by the platform: it leads to service2", "it is the queue orders"}},
		{"a service that is not selected is named, and the nearest", `{"servic1":{"A":"b"}}`,
			[]string{`"servic1", which is no selected backend. Did you mean service1?`}},
		{"a variable stands once", `{"A":"b","A":"c"}`, []string{`"A" twice`}},
		{"so it does below a service", `{"service1":{"A":"b","A":"c"}}`, []string{`service1 name "A" twice`}},
		{"a service stands once", `{"service1":{"A":"b"},"service1":{"C":"d"}}`, []string{`"service1" twice`}},
		{"a secret has one key", `{"A":{"secret":"x","more":"y"}}`, []string{"neither text nor the name"}},
		{"a secret is named by text", `{"A":{"secret":1}}`, []string{"neither text nor the name"}},
		{"a secret has a name", `{"A":{"secret":""}}`, []string{"no name or ARN"}},
		{"everything is said at once", `{"A":1,"PORT":"x","nobody":{"B":"c"}}`, []string{`"A" is no text`, "PORT is set", `"nobody"`}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			_, faults := ParseOverrides(json.RawMessage(test.raw), backends)
			expectFaults(t, faults, FieldOverrides, test.want)
		})
	}
}

func TestASecretIsRefusedAndNeverRepeated(t *testing.T) {
	tests := map[string]string{
		"an access key":     "AKIAIOSFODNN7EXAMPLE",
		"a temporary key":   "ASIAIOSFODNN7EXAMPLE",
		"a personal token":  "ghp_0123456789abcdefghijABCDEFGHIJ012345",
		"an app's token":    "ghs_12345_eyJhbGciOiJIUzI1NiJ9",
		"a narrow token":    "github_pat_11ABCDEFG0123456789",
		"a bot's token":     "xoxb-123456789012-abcdefghijkl",
		"a private key":     "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
		"a key of no type":  "-----BEGIN PRIVATE KEY-----\nMIIE",
		"one within a text": "postgres://u:ghp_0123456789abcdefghij@db",
	}
	for rule, secret := range tests {
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		for place, raw := range map[string]string{
			"a value":            `{"A":` + string(quoted) + `}`,
			"a service's value":  `{"service1":{"A":` + string(quoted) + `}}`,
			"a name":             `{` + string(quoted) + `:"a"}`,
			"a service":          `{` + string(quoted) + `:{"A":"b"}}`,
			"the name of secret": `{"A":{"secret":` + string(quoted) + `}}`,
		} {
			t.Run(rule+" as "+place, func(t *testing.T) {
				_, faults := ParseOverrides(json.RawMessage(raw), backends)
				if len(faults) == 0 {
					t.Fatal("it was taken")
				}
				if strings.Contains(faults.Error(), secret[:8]) {
					t.Errorf("it is repeated: %v", faults)
				}
			})
		}
	}
	_, faults := ParseOverrides(json.RawMessage(`{"A":"AKIAIOSFODNN7EXAMPLE"}`), backends)
	if !strings.Contains(faults.Error(), "Name a secret instead") {
		t.Errorf("it is not said what to do: %v", faults)
	}
}

func FuzzParseOverrides(f *testing.F) {
	for _, raw := range []string{``, `{}`, `{"A":"b"}`, `{"service1":{"A":{"secret":"b"}}}`, `{"A":1,"A":{}}`, `{"A":"AKIAIOSFODNN7EXAMPLE"}`, `{`, `[]`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		overrides, faults := ParseOverrides(raw, backends)
		if overrides != nil && len(faults) > 0 {
			t.Fatal("overrides beside faults")
		}
		if knownSecret.MatchString(faults.Error()) {
			t.Fatalf("a secret is repeated: %v", faults)
		}
		for service, variables := range overrides {
			if _, ok := backends[service]; !ok {
				t.Fatalf("%q got variables", service)
			}
			for name, value := range variables {
				if !catalog.ValidVariable(name) || catalog.PlatformVariable(name) || knownSecret.MatchString(value.Text+value.Secret) {
					t.Fatalf("%q was taken", name)
				}
			}
		}
	})
}

// expectFaults holds faults to parts of their words, in order, all of one field
// unless that is empty.
func expectFaults(t *testing.T, faults fault.List, field string, want []string) {
	t.Helper()
	if len(faults) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%v", len(faults), len(want), faults)
	}
	for i, f := range faults {
		if !strings.Contains(f.Error(), want[i]) {
			t.Errorf("fault %d is %q, want %q in it", i, f, want[i])
		}
		if field != "" && f.Field != field {
			t.Errorf("fault %d is about %q, want %q", i, f.Field, field)
		}
		if f.Name != "BadRequest" || f.Next == "" {
			t.Errorf("fault %d has the name %q and says %q to do", i, f.Name, f.Next)
		}
	}
}
