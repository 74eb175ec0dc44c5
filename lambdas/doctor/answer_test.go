package doctor

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	connectiontypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/aws/smithy-go/middleware"
)

// lacking are the answers that the emulator does not have.
func (w *world) lacking() {
	w.slack = func(r http.ResponseWriter) {
		r.Header().Set("X-OAuth-Scopes", "chat:write,commands")
		_, _ = r.Write([]byte(`{"ok":true,"team":"Acme","user":"previewenv"}`))
	}
	w.answers = map[string]any{
		"DescribeAccountLimits":   limits("100"),
		"GetConnection":           connection(connectiontypes.ConnectionStatusAvailable),
		"GetServiceQuota":         quota(10),
		"SimulatePrincipalPolicy": denying(""),
	}
}

func limits(groups string) any {
	limit := func(name, most string) elbtypes.Limit { return elbtypes.Limit{Name: &name, Max: &most} }
	return &elb.DescribeAccountLimitsOutput{Limits: []elbtypes.Limit{
		limit("target-groups-per-application-load-balancer", groups), limit("rules-per-application-load-balancer", "100"),
	}}
}

func connection(status connectiontypes.ConnectionStatus) any {
	return &codeconnections.GetConnectionOutput{Connection: &connectiontypes.Connection{ConnectionName: aws.String("github"), ConnectionStatus: status}}
}

func quota(builds float64) any {
	return &servicequotas.GetServiceQuotaOutput{Quota: &quotatypes.ServiceQuota{Value: &builds}}
}

// denying is IAM, which denies one action, or that action on one resource.
func denying(what string) any {
	return func(in any) any {
		asked := in.(*iam.SimulatePrincipalPolicyInput)
		out := &iam.SimulatePrincipalPolicyOutput{}
		for _, action := range asked.ActionNames {
			result := iamtypes.EvaluationResult{EvalActionName: &action, EvalDecision: iamtypes.PolicyEvaluationDecisionTypeAllowed}
			if what == action || what == action+" "+asked.ResourceArns[0] {
				result.EvalDecision = iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
			}
			out.EvaluationResults = append(out.EvaluationResults, result)
		}
		return out
	}
}

func (w *world) answer(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	operation := awsmiddleware.GetOperationName(ctx)
	switch answer := w.answers[operation].(type) {
	case nil:
		out, metadata, err := next.HandleInitialize(ctx, in)
		if services, ok := out.Result.(*ecs.DescribeServicesOutput); ok && err == nil {
			for i := range services.Services {
				services.Services[i].HealthCheckGracePeriodSeconds = &w.grace
			}
		}
		if edit := w.edits[operation]; edit != nil && err == nil {
			edit(out.Result)
		}
		return out, metadata, err
	case error:
		return middleware.InitializeOutput{}, middleware.Metadata{}, denial(awsmiddleware.GetServiceID(ctx), operation, answer)
	case func(any) any:
		return middleware.InitializeOutput{Result: answer(in.Parameters)}, middleware.Metadata{}, nil
	default:
		fresh := reflect.New(reflect.TypeOf(answer).Elem()) // whoever gets it may page it
		fresh.Elem().Set(reflect.ValueOf(answer).Elem())
		return middleware.InitializeOutput{Result: fresh.Interface()}, middleware.Metadata{}, nil
	}
}

func (w *world) serve(h http.HandlerFunc) string {
	server := httptest.NewServer(h)
	w.t.Cleanup(server.Close)
	return server.URL + "/"
}

func (w *world) askSlack(r http.ResponseWriter, q *http.Request) {
	if q.URL.Path != "/auth.test" || q.Header.Get("Authorization") != "Bearer value-of-slack-token" {
		http.Error(r, "wrong", http.StatusBadRequest)
		return
	}
	w.slack(r)
}

func (w *world) askGitHub(r http.ResponseWriter, q *http.Request) {
	status := w.github[strings.TrimPrefix(q.URL.Path, "/repos/acme/shop")]
	if q.Header.Get("Authorization") != "Bearer value-of-github-token" {
		status = http.StatusUnauthorized
	}
	r.WriteHeader(max(status, http.StatusOK))
}

func (w *world) delegated(ctx context.Context, _ string) ([]*net.NS, error) {
	out, err := w.Route53.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &w.zone})
	if err != nil || out.DelegationSet == nil {
		return nil, err
	}
	return []*net.NS{{Host: out.DelegationSet.NameServers[0] + "."}}, nil
}
