package alb

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func field(name string, values ...string) types.RuleCondition {
	return types.RuleCondition{Field: &name, Values: values}
}

func TestConditions(t *testing.T) {
	header := types.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{
		HttpHeaderName: aws.String("X-Team"), Values: []string{"red*"},
	}}
	query := types.RuleCondition{Field: aws.String("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{
		Values: []types.QueryStringKeyValuePair{{Key: aws.String("version"), Value: aws.String("v?")}, {Value: aws.String("any")}},
	}}
	method := types.RuleCondition{Field: aws.String("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{
		Values: []string{"POST"},
	}}
	source := types.RuleCondition{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"192.0.2.0/24"}}}
	for _, test := range []struct {
		rule      string
		condition types.RuleCondition
		method    string
		url       string
		want      bool
	}{
		{"a host has no case", field("host-header", "PR1.example.com"), "GET", "http://pr1.Example.com/", true},
		{"a port is no part of the host", field("host-header", "pr1.example.com"), "GET", "http://pr1.example.com:8080/", true},
		{"a host may have wildcards", field("host-header", "*.example.com"), "GET", "http://a.b.example.com/", true},
		{"a wildcard does not stand for the dot", field("host-header", "*.example.com"), "GET", "http://example.com/", false},
		{"one value of several is enough", field("path-pattern", "/a", "/b/*"), "GET", "http://h/b/c", true},
		{"a path has case", field("path-pattern", "/Service"), "GET", "http://h/service", false},
		{"a query is no part of the path", field("path-pattern", "/service"), "GET", "http://h/service?x=/other", true},
		{"a header's values have no case", header, "GET", "http://h/?team=RedOne", true},
		{"a header that is not there does not fit", header, "GET", "http://h/", false},
		{"a query has the key and the value", query, "GET", "http://h/?Version=V1", true},
		{"the value of another key does not fit", query, "GET", "http://h/?other=v1", false},
		{"without a key any value fits", query, "GET", "http://h/?other=any", true},
		{"a method", method, "POST", "http://h/", true},
		{"another method", method, "GET", "http://h/", false},
		{"a source", source, "GET", "http://h/", true},
		{"an unknown condition fits nothing", field("phase-of-moon", "full"), "GET", "http://h/", false},
		{"no values fit nothing", field("path-pattern"), "GET", "http://h/", false},
	} {
		t.Run(test.rule, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.url, nil)
			if team := r.URL.Query().Get("team"); team != "" {
				r.Header.Set("X-Team", team)
			}
			if got := newCondition(test.condition)(r); got != test.want {
				t.Errorf("%s %s fits: %t", test.method, test.url, got)
			}
		})
	}
}

func TestEveryConditionOfARuleHasToFit(t *testing.T) {
	r := newRule(types.Rule{Priority: aws.String("7"), Conditions: []types.RuleCondition{
		field("host-header", "pr1.example.com"), field("path-pattern", "/api/*"),
	}})
	for url, want := range map[string]bool{
		"http://pr1.example.com/api/x": true, "http://pr2.example.com/api/x": false, "http://pr1.example.com/x": false,
	} {
		if got := r.matches(httptest.NewRequest(http.MethodGet, url, nil)); got != want {
			t.Errorf("%s: %t", url, got)
		}
	}
	if r.priority != 7 || newRule(types.Rule{IsDefault: aws.Bool(true), Priority: aws.String("default")}).priority <= 50_000 {
		t.Error("the default rule is not behind the others")
	}
}

func TestRedirects(t *testing.T) {
	for _, test := range []struct {
		rule   string
		config types.RedirectActionConfig
		want   string
	}{
		{"what is not set stays", types.RedirectActionConfig{Path: aws.String("/new")}, "http://h.example.com:8080/new?a=1"},
		{"to HTTPS", types.RedirectActionConfig{Protocol: aws.String("HTTPS"), Port: aws.String("443")}, "https://h.example.com/old/path?a=1"},
		{"place holders", types.RedirectActionConfig{Host: aws.String("www.#{host}"), Port: aws.String("80"), Path: aws.String("/v2/#{path}"), Query: aws.String("")},
			"http://www.h.example.com/v2/old/path"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://h.example.com:8080/old/path?a=1", nil)
			if got := location(test.config, r); got != test.want {
				t.Errorf("to %s, not %s", got, test.want)
			}
		})
	}
}

func TestMatchers(t *testing.T) {
	for _, test := range []struct {
		matcher string
		status  int
		want    bool
	}{
		{"200", 200, true}, {"200", 204, false},
		{"200-299", 299, true}, {"200-299", 300, false}, {"200-299", 200, true},
		{"200,302", 302, true}, {"200,302", 301, false},
		{"200, 300-399", 307, true}, {"", 200, false}, {"x-y", 200, false},
	} {
		if got := accepts(test.matcher, test.status); got != test.want {
			t.Errorf("%q accepts %d: %t", test.matcher, test.status, got)
		}
	}
}

func TestStatesOfATarget(t *testing.T) {
	c := check{rise: 3, fall: 2}
	bad := unhealthy(types.TargetHealthReasonEnumTimeout, "Request timed out")
	for _, test := range []struct {
		rule      string
		now       health
		found     health
		good, bad int
		want      health
	}{
		{"a new target needs one success", registering, healthy, 1, 0, healthy},
		{"a new target that fails once is still being looked at", registering, bad, 0, 1, checking},
		{"a target that does not listen yet has not failed", registering, checking, 0, 0, checking},
		{"failures in a row make it unhealthy", checking, bad, 0, 2, bad},
		{"one failure does not", healthy, bad, 0, 1, healthy},
		{"one success does not heal", bad, healthy, 1, 0, bad},
		{"as many as the threshold do", bad, healthy, 3, 0, healthy},
		{"the last failure is told", bad, unhealthy(types.TargetHealthReasonEnumResponseCodeMismatch, "Health checks failed with these codes: [500]"), 0, 5,
			unhealthy(types.TargetHealthReasonEnumResponseCodeMismatch, "Health checks failed with these codes: [500]")},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := (&target{health: test.now}).after(test.found, test.good, test.bad, c); got != test.want {
				t.Errorf("%v, not %v", got, test.want)
			}
		})
	}
}
