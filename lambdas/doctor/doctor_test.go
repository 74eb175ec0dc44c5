package doctor

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
)

func denial(service, operation string, err error) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err}
}

// named are the findings of a report that are not merely unknown, once each.
func named(r Report) []string {
	var names []string
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			if f.Level != NotChecked {
				names = append(names, f.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func text(r Report) string {
	var b bytes.Buffer
	r.Write(&b)
	return b.String()
}

func TestASoundBaselineHasNoFinding(t *testing.T) {
	w := sound(t)
	for _, size := range []int{0, 1} {
		awstest.Pages(t, size)
		awstest.Forget(t)
		r := Run(t.Context(), w.options)
		for _, c := range r.Checks {
			if len(c.Findings) > 0 {
				t.Errorf("with pages of %d, %s finds %+v", size, c.Name, c.Findings)
			}
		}
		if !r.Good || strings.Contains(text(r), "value-of") {
			t.Errorf("the report is not good, or holds a secret:\n%s", text(r))
		}
	}
	for _, call := range awstest.Calls(t) {
		_, operation, _ := strings.Cut(call, ":")
		if !slices.ContainsFunc([]string{"Describe", "Get", "List", "Simulate"}, func(verb string) bool { return strings.HasPrefix(operation, verb) }) {
			t.Errorf("%s is no read", call)
		}
	}
}

// refusing answers every call of EC2 as AWS does who may not make it.
type refusing struct{}

func (refusing) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Header.Get("Content-Type") == "" {
		return http.DefaultTransport.RoundTrip(q)
	}
	body := `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not.</Message></Error></Errors></Response>`
	return &http.Response{StatusCode: http.StatusForbidden, Body: io.NopCloser(strings.NewReader(body)), Request: q}, nil
}

func TestADeniedCallIsToldAndStopsNoOtherCheck(t *testing.T) {
	w := sound(t)
	Run(t.Context(), w.options)
	calls := awstest.Calls(t)
	slices.Sort(calls)
	for _, call := range slices.Compact(calls) {
		_, operation, _ := strings.Cut(call, ":")
		if operation == "GetCallerIdentity" {
			continue
		}
		t.Run(operation, func(t *testing.T) {
			kept := w.answers[operation]
			w.answers[operation] = &smithy.GenericAPIError{Code: "AccessDeniedException"}
			defer func() { w.answers[operation] = kept }()
			r := Run(t.Context(), w.options)
			if !r.Good || len(named(r)) > 0 || !strings.Contains(text(r), ":"+operation+" is denied") || len(r.Checks) != len(checks)+1 {
				t.Errorf("the report is\n%s", text(r))
			}
		})
	}
	t.Run("EC2", func(t *testing.T) {
		o := w.options
		o.HTTP = &http.Client{Transport: refusing{}}
		r := Run(t.Context(), o)
		if !r.Good || !strings.Contains(text(r), "not checked: ec2:DescribeSubnets is denied") {
			t.Errorf("the report is\n%s", text(r))
		}
	})
}

func TestWithoutTheRightCredentialsOneLineSaysSo(t *testing.T) {
	w := sound(t)
	refused := func(err error) func() {
		return func() { w.answers["GetCallerIdentity"] = err }
	}
	cases := []struct {
		name, want string
		damage     func()
	}{
		{"expired", "credentials-refused", refused(&smithy.GenericAPIError{Code: "ExpiredToken"})},
		{"of another account", "wrong-account", func() {
			w.answers["GetCallerIdentity"] = nil
			w.catalog.Baseline.Listeners[0] = strings.Replace(w.listener, awstest.Account, "111122223333", 1)
		}},
		{"none", "no-credentials", func() { w.options.Config.Credentials = nil }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.damage()
			r := Run(t.Context(), w.options)
			if diff := cmp.Diff([]string{c.want}, named(r)); diff != "" || r.Good || strings.Count(text(r), "\n") != 1 {
				t.Errorf("(-want +got) %s\n%s", diff, text(r))
			}
		})
	}
}

func TestTheLocalStackIsAskedForWhatItHas(t *testing.T) {
	w := sound(t)
	w.options.Local, w.catalog.Installation = true, nil
	awstest.Forget(t)
	r := Run(t.Context(), w.options)
	if !r.Good || len(named(r)) > 0 {
		t.Errorf("the report is\n%s", text(r))
	}
	for _, call := range awstest.Calls(t) {
		if strings.HasPrefix(call, "IAM:") || strings.HasPrefix(call, "Route 53:") || strings.HasPrefix(call, "ACM:") {
			t.Errorf("the local stack was asked for %s", call)
		}
	}
}

func TestTokensThatMayNotBeReadAreNotChecked(t *testing.T) {
	w := sound(t)
	w.options.Tokens = false
	r := Run(t.Context(), w.options)
	if !r.Good || strings.Count(text(r), "not checked: its value was not to be read") != 2 {
		t.Errorf("the report is\n%s", text(r))
	}
	if slices.Contains(awstest.Calls(t), "secretsmanager:GetSecretValue") {
		t.Error("a value was read")
	}
}

func TestAReportIsJSONForScripts(t *testing.T) {
	report := Report{Account: "1", Region: "us-east-1", Checks: []Check{{Name: "rules", Findings: []Finding{{"gap", Warns, "2", "seen", "do"}}}}}
	data, err := json.Marshal(report)
	const want = `{"account":"1","region":"us-east-1","good":false,"checks":[{"name":"rules","findings":[{"name":"gap","level":"warns","about":"2","seen":"seen","do":"do"}]}]}`
	if diff := cmp.Diff(want, string(data)); diff != "" || err != nil {
		t.Errorf("(-want +got) %s %v", diff, err)
	}
}

func TestTwoPatternsOverlap(t *testing.T) {
	cases := []struct {
		a, b string
		want bool
	}{
		{"/service1", "/service1", true}, {"/service1/*", "/service1", false}, {"/service1*", "/service1", true},
		{"/*", "/service1/*", true}, {"/s?rvice1", "/service1", true}, {"/a/*/c", "/a/b/*", true}, {"/a/*/c", "/b/*", false},
		{"*.example.com", "?*.preview.example.com", true}, {"*.staging.example.com", "?*.preview.example.com", false},
		{"preview.example.com", "?*.preview.example.com", false}, {"", "*", true}, {"", "?", false},
	}
	for _, c := range cases {
		if overlap(c.a, c.b) != c.want || overlap(c.b, c.a) != c.want {
			t.Errorf("overlap(%q, %q) is not %v both ways", c.a, c.b, c.want)
		}
	}
}
