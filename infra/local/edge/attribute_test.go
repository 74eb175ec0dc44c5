package edge

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPayloadTellsWhatItIsFor(t *testing.T) {
	form := base64.StdEncoding.EncodeToString([]byte("command=%2Fprovisionenv&text=abc+web+--as+pr9"))
	for name, c := range map[string]struct {
		payload string
		want    Purpose
	}{
		"a resource":             {`{"op":"ensure","environment":"pr1","revision":1,"name":"x"}`, Purpose{"pr1", "ensure"}},
		"a plan, by its request": {`{"op":"extract","request":{"environment":"pr1"},"execution":"e"}`, Purpose{"pr1", "extract"}},
		"a removal, by scope":    {`{"environment":"pr1","revision":1,"scope":"all"}`, Purpose{"pr1", "all"}},
		"a build's event":        {`{"detail-type":"x","detail":{"additional-information":{"source-version":"abc"}}}`, Purpose{"abc", "event"}},
		"a batch about one":      {`{"Records":[{"dynamodb":{"Keys":{"environment":{"S":"pr1"}}}},{"dynamodb":{"Keys":{"environment":{"S":"pr1"}}}}]}`, Purpose{"pr1", "stream"}},
		"a batch about two":      {`{"Records":[{"dynamodb":{"Keys":{"environment":{"S":"pr1"}}}},{"dynamodb":{"Keys":{"environment":{"S":"pr2"}}}}]}`, Purpose{}},
		"a command with --as":    {`{"rawPath":"/slack/commands","isBase64Encoded":true,"body":"` + form + `"}`, Purpose{"pr9", "/provisionenv"}},
		"a command by its label": {`{"rawPath":"/slack/commands","body":"command=%2Fextendenv&text=pr1+2h"}`, Purpose{"pr1", "/extendenv"}},
		"a sweep":                {`{"dryRun":false}`, Purpose{}},
		"no JSON":                {`x`, Purpose{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, purposeOf([]byte(c.payload))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCallsAreCountedByWhatTheyAreFor(t *testing.T) {
	var done int
	e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
	payload := `{"op":"ensure","environment":"pr1"}`
	e.Serving(func(key string) []byte {
		if key != "plan.1" {
			t.Errorf("asked for the payload of %q", key)
		}
		return []byte(payload)
	})
	var got []Call
	e.Observe(func(c Call) { got = append(got, Call{Environment: c.Environment, Step: c.Step, N: c.N}) })
	for _, p := range []string{payload, payload, `{"op":"remove","environment":"pr1"}`, `{"op":"ensure","environment":"abc"}`} {
		payload = p
		_, _ = describe(t.Context(), cfg)
	}
	e.Alias("abc", "pr1")
	_, _ = describe(t.Context(), cfg)
	want := []Call{
		{Environment: "pr1", Step: "ensure", N: 1}, {Environment: "pr1", Step: "ensure", N: 2}, {Environment: "pr1", Step: "remove", N: 1},
		{Environment: "abc", Step: "ensure", N: 1}, {Environment: "pr1", Step: "ensure", N: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnInvokeIsKnownByItsFunction(t *testing.T) {
	for path, want := range map[string]string{
		"/2015-03-31/functions/rule/invocations":                                                  "rule",
		"/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:rule/invocations":   "rule",
		"/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:rule:1/invocations": "rule",
	} {
		if got := invokes(path); got != want {
			t.Errorf("invokes(%s) = %q, want %q", path, got, want)
		}
	}
}
