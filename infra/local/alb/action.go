package alb

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// action is what a rule does; exactly one of forward, fixed and redirect is set.
// Authentication before it is not asked for.
type action struct {
	forward  string // ARN of the target group
	group    *group
	fixed    *types.FixedResponseActionConfig
	redirect *types.RedirectActionConfig
}

func newAction(actions []types.Action) action {
	for _, a := range actions {
		switch a.Type {
		case types.ActionTypeEnumForward:
			return action{forward: forwardsTo(a)}
		case types.ActionTypeEnumFixedResponse:
			return action{fixed: a.FixedResponseConfig}
		case types.ActionTypeEnumRedirect:
			return action{redirect: a.RedirectConfig}
		}
	}
	return action{}
}

// forwardsTo takes one target group: of several, the first that has weight.
func forwardsTo(a types.Action) string {
	if a.TargetGroupArn != nil || a.ForwardConfig == nil {
		return aws.ToString(a.TargetGroupArn)
	}
	for _, g := range a.ForwardConfig.TargetGroups {
		if g.Weight == nil || *g.Weight > 0 {
			return aws.ToString(g.TargetGroupArn)
		}
	}
	return ""
}

func (b *Balancer) act(w http.ResponseWriter, r *http.Request, a action) {
	switch {
	case a.group != nil:
		t := a.group.pick()
		if t == nil {
			page(w, http.StatusServiceUnavailable)
			return
		}
		defer a.group.release(t)
		b.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chosen{}, t.address)))
	case a.fixed != nil:
		status, err := strconv.Atoi(aws.ToString(a.fixed.StatusCode))
		if err != nil {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, cmp.Or(aws.ToString(a.fixed.ContentType), "text/plain"), aws.ToString(a.fixed.MessageBody))
	case a.redirect != nil:
		status := http.StatusFound
		if a.redirect.StatusCode == types.RedirectActionStatusCodeEnumHttp301 {
			status = http.StatusMovedPermanently
		}
		w.Header().Set("Location", location(*a.redirect, r))
		page(w, status)
	default:
		page(w, http.StatusServiceUnavailable)
	}
}

// location fills the place holders of a redirect; what is not set is the request's.
func location(c types.RedirectActionConfig, r *http.Request) string {
	scheme, port := "http", "80"
	if r.TLS != nil {
		scheme, port = "https", "443"
	}
	if _, p, err := net.SplitHostPort(r.Host); err == nil {
		port = p
	}
	fill := strings.NewReplacer("#{protocol}", scheme, "#{host}", host(r), "#{port}", port,
		"#{path}", strings.TrimPrefix(r.URL.EscapedPath(), "/"), "#{query}", r.URL.RawQuery).Replace
	to := strings.ToLower(fill(cmp.Or(aws.ToString(c.Protocol), "#{protocol}")))
	authority := fill(cmp.Or(aws.ToString(c.Host), "#{host}"))
	if p := fill(cmp.Or(aws.ToString(c.Port), "#{port}")); to+p != "http80" && to+p != "https443" {
		authority = net.JoinHostPort(authority, p)
	}
	target := to + "://" + authority + fill(cmp.Or(aws.ToString(c.Path), "/#{path}"))
	query := "#{query}"
	if c.Query != nil {
		query = *c.Query
	}
	if query = fill(query); query != "" {
		target += "?" + query
	}
	return target
}

// page is an answer of the load balancer itself.
func page(w http.ResponseWriter, status int) {
	title := fmt.Sprintf("%d %s", status, statusText(status))
	answer(w, status, "text/html", "<html>\r\n<head><title>"+title+"</title></head>\r\n<body>\r\n<center><h1>"+
		title+"</h1></center>\r\n</body>\r\n</html>\r\n")
}

func statusText(status int) string {
	switch status {
	case http.StatusServiceUnavailable:
		return "Service Temporarily Unavailable"
	case http.StatusGatewayTimeout:
		return "Gateway Time-out"
	}
	return http.StatusText(status)
}

func answer(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := io.WriteString(w, body); err != nil {
		slog.Debug("answer", "error", err)
	}
}
