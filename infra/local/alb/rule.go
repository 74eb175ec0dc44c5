package alb

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/infra/local/alb/wildcard"
)

// rule fits a request when all of its conditions do.
type rule struct {
	arn        string
	priority   int
	conditions []condition
	action     action
}

func (r rule) matches(req *http.Request) bool {
	return !slices.ContainsFunc(r.conditions, func(c condition) bool { return !c(req) })
}

// condition tells whether a request fits one of the values of a rule's condition.
type condition func(*http.Request) bool

func newCondition(c types.RuleCondition) condition {
	switch field := aws.ToString(c.Field); {
	case field == "host-header":
		values := c.Values
		if c.HostHeaderConfig != nil && len(c.HostHeaderConfig.Values) > 0 {
			values = c.HostHeaderConfig.Values
		}
		return func(r *http.Request) bool {
			return slices.ContainsFunc(values, func(v string) bool { return wildcard.Fits(fold(v), fold(host(r))) })
		}
	case field == "path-pattern":
		values := c.Values
		if c.PathPatternConfig != nil && len(c.PathPatternConfig.Values) > 0 {
			values = c.PathPatternConfig.Values
		}
		return func(r *http.Request) bool {
			return slices.ContainsFunc(values, func(v string) bool { return wildcard.Fits(v, r.URL.EscapedPath()) })
		}
	case field == "http-request-method" && c.HttpRequestMethodConfig != nil:
		values := c.HttpRequestMethodConfig.Values
		return func(r *http.Request) bool { return slices.Contains(values, r.Method) }
	case field == "http-header" && c.HttpHeaderConfig != nil:
		return headerCondition(*c.HttpHeaderConfig)
	case field == "query-string" && c.QueryStringConfig != nil:
		return queryCondition(*c.QueryStringConfig)
	case field == "source-ip" && c.SourceIpConfig != nil:
		values := c.SourceIpConfig.Values
		return func(r *http.Request) bool {
			return slices.ContainsFunc(values, func(v string) bool { return within(v, r.RemoteAddr) })
		}
	}
	// A condition that is not known here must not let more through than it would.
	return func(*http.Request) bool { return false }
}

func headerCondition(c types.HttpHeaderConditionConfig) condition {
	return func(r *http.Request) bool {
		return slices.ContainsFunc(r.Header.Values(aws.ToString(c.HttpHeaderName)), func(have string) bool {
			return slices.ContainsFunc(c.Values, func(v string) bool { return wildcard.Fits(fold(v), fold(have)) })
		})
	}
}

func queryCondition(c types.QueryStringConditionConfig) condition {
	return func(r *http.Request) bool {
		query := r.URL.Query()
		return slices.ContainsFunc(c.Values, func(pair types.QueryStringKeyValuePair) bool {
			for key, values := range query {
				if pair.Key != nil && !wildcard.Fits(fold(*pair.Key), fold(key)) {
					continue
				}
				if slices.ContainsFunc(values, func(v string) bool { return wildcard.Fits(fold(aws.ToString(pair.Value)), fold(v)) }) {
					return true
				}
			}
			return false
		})
	}
}

func fold(s string) string { return strings.ToLower(s) }

func within(cidr, remote string) bool {
	prefix, err := netip.ParsePrefix(cidr)
	from, fromErr := netip.ParseAddrPort(remote)
	return err == nil && fromErr == nil && prefix.Contains(from.Addr().Unmap())
}

// host is the Host header without its port.
func host(r *http.Request) string {
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		return name
	}
	return r.Host
}
