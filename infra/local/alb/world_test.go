package alb

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"previewenv/infra/local/moto"
)

var emulator *moto.Server

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	python, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		panic(err)
	}
	if emulator, err = moto.Start(context.Background(), moto.Options{Python: python}); err != nil {
		panic(err)
	}
	defer func() { _ = emulator.Close() }()
	return m.Run()
}

// world is a load balancer read from moto itself; nothing nudges it.
type world struct {
	t        *testing.T
	client   *elb.Client
	balancer *Balancer
	listener string
	vpc      string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	endpoint := emulator.URL.String()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("x", "x", "")}
	w := &world{t: t, client: elb.NewFromConfig(cfg)}
	subnets := w.network(endpoint)
	balancers, err := w.client.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String(fmt.Sprintf("lb-%d", time.Now().UnixNano())), Subnets: subnets,
	})
	w.check(err)
	arn := balancers.LoadBalancers[0].LoadBalancerArn
	listeners, err := w.client.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: arn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: []types.Action{fixed("404", "default")},
	})
	w.check(err)
	w.listener = *listeners.Listeners[0].ListenerArn
	w.balancer = New(Options{Config: cfg, LoadBalancer: *arn, Poll: 50 * time.Millisecond, Timeout: 300 * time.Millisecond})
	t.Cleanup(w.balancer.Close)
	return w
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) network(endpoint string) []string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, endpoint, strings.NewReader("Action=DescribeSubnets&Version=2016-11-15"))
	w.check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	w.check(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	w.check(err)
	var subnets []string
	for _, part := range strings.Split(string(body), "<subnetId>")[1:] {
		subnets = append(subnets, part[:strings.IndexByte(part, '<')])
	}
	_, vpc, _ := strings.Cut(string(body), "<vpcId>")
	w.vpc = vpc[:strings.IndexByte(vpc, '<')]
	return subnets[:2]
}

func fixed(status, body string) types.Action {
	return types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
		StatusCode: &status, MessageBody: &body, ContentType: aws.String("text/plain"),
	}}
}

func (w *world) rule(priority int32, action types.Action, conditions ...types.RuleCondition) string {
	w.t.Helper()
	made, err := w.client.CreateRule(w.t.Context(), &elb.CreateRuleInput{
		ListenerArn: &w.listener, Priority: &priority, Conditions: conditions, Actions: []types.Action{action},
	})
	w.check(err)
	return *made.Rules[0].RuleArn
}

// group makes a target group that the path /<name> goes to.
func (w *world) group(name string, priority int32) string {
	w.t.Helper()
	made, err := w.client.CreateTargetGroup(w.t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String(fmt.Sprintf("%s-%d", name, time.Now().UnixNano())), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &w.vpc,
		TargetType: types.TargetTypeEnumIp, HealthCheckPath: aws.String("/health"), HealthCheckIntervalSeconds: aws.Int32(2),
		HealthCheckTimeoutSeconds: aws.Int32(1), UnhealthyThresholdCount: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})
	w.check(err)
	arn := *made.TargetGroups[0].TargetGroupArn
	w.rule(priority, types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: &arn}, types.RuleCondition{Field: aws.String("path-pattern"),
		PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/" + name, "/" + name + "/*"}}})
	return arn
}

// register makes a server the target of a group, under an address of its own.
func (w *world) register(group, id, server string) int {
	w.t.Helper()
	u, err := url.Parse(server)
	w.check(err)
	port, err := strconv.Atoi(u.Port())
	w.check(err)
	_, err = w.client.RegisterTargets(w.t.Context(), &elb.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: &id, Port: aws.Int32(int32(port))}}})
	w.check(err)
	return port
}

func (w *world) deregister(group, id string) {
	w.t.Helper()
	_, err := w.client.DeregisterTargets(w.t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: &id}}})
	w.check(err)
}

func (w *world) get(path string) (int, string) {
	recorder := httptest.NewRecorder()
	w.balancer.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "http://h.example.com"+path, nil))
	return recorder.Code, recorder.Body.String()
}

// await waits for as long as the emulator may take on a machine that does much else:
// the balancer reads it for a part of the time alone.
func (w *world) await(what string, f func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if f() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	w.t.Fatalf("%s did not come", what)
}

func (w *world) awaitState(group, id string, port int, want, reason string) {
	w.t.Helper()
	var state, why, description string
	w.await(want+" "+reason, func() bool {
		state, why, description = w.balancer.Healthy(group, id, port)
		return state == want && why == reason
	})
	if state == "unhealthy" && description == "" {
		w.t.Error("no description")
	}
}
