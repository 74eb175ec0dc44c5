package ecs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"previewenv/infra/local/alb"
	"previewenv/infra/local/ecs"
	"previewenv/infra/local/moto"
)

// emulator is one moto for all tests of this package; each begins with it empty.
var emulator *moto.Server

// imageDir has the tests' server as its program.
var imageDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if imageDir, err = os.MkdirTemp("", "image"); err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(imageDir) }()
	build := exec.Command("go", "build", "-o", filepath.Join(imageDir, "server"), "./testdata/server")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build server: %v: %s", err, out))
	}
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

// stack is a load balancer and an agent with a cluster of the test's own.
type stack struct {
	t        testing.TB
	ecs      *awsecs.Client
	elb      *elb.Client
	logs     *cloudwatchlogs.Client
	secrets  *secretsmanager.Client
	ssm      *ssm.Client
	agent    *ecs.Agent
	url      string
	listener string
	vpc      string
	cluster  string
}

func config(endpoint string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("x", "x", "")}
}

func newStack(t testing.TB) *stack {
	t.Helper()
	f := &front{
		proxy: httputil.NewSingleHostReverseProxy(emulator.URL), handlers: map[string]http.Handler{},
		rewrites: map[string][]func(request, response []byte) []byte{},
	}
	f.proxy.ErrorLog = log.New(io.Discard, "", 0)
	// The services of the tests before would be run again.
	reset := must(http.Post(emulator.URL.JoinPath("/moto-api/reset").String(), "", nil))(t)
	_ = reset.Body.Close()
	endpoint := httptest.NewServer(f)
	t.Cleanup(endpoint.Close)
	cfg := config(endpoint.URL)
	s := &stack{
		t: t, ecs: awsecs.NewFromConfig(cfg), elb: elb.NewFromConfig(cfg), logs: cloudwatchlogs.NewFromConfig(cfg),
		secrets: secretsmanager.NewFromConfig(cfg), ssm: ssm.NewFromConfig(cfg), cluster: strings.ReplaceAll(t.Name(), "/", "-"),
	}
	subnets := s.network(endpoint.URL)
	balancers := must(s.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String(fmt.Sprintf("lb-%d", time.Now().UnixNano())), Subnets: subnets,
	}))(t)
	lb := balancers.LoadBalancers[0].LoadBalancerArn
	listeners := must(s.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse,
			FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")}}},
	}))(t)
	s.listener = *listeners.Listeners[0].ListenerArn
	must(s.ecs.CreateCluster(t.Context(), &awsecs.CreateClusterInput{ClusterName: &s.cluster}))(t)

	balancer := alb.New(alb.Options{Config: cfg, LoadBalancer: *lb})
	t.Cleanup(balancer.Close)
	server := httptest.NewServer(balancer)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.agent = ecs.New(ecs.Options{
		Config: cfg, Healthy: balancer.Healthy, Logs: t.TempDir(),
		Unpack: func(ref string) (ecs.Image, error) {
			if ref != "registry.example.com/server:1" {
				return ecs.Image{}, fmt.Errorf("unpack %s: not found", ref)
			}
			return ecs.Image{Dir: imageDir, Entrypoint: []string{"/server"}}, nil
		},
	})
	t.Cleanup(s.agent.Close)
	rewrite := func(_, operation string, r func(request, response []byte) []byte) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.rewrites[operation] = append(f.rewrites[operation], r)
	}
	balancer.Attach(rewrite)
	s.agent.Attach(rewrite, func(_, operation string, h http.Handler) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.handlers[operation] = h
	})
	return s
}

// network finds the subnets that every account has.
func (s *stack) network(endpoint string) []string {
	s.t.Helper()
	request := must(http.NewRequestWithContext(s.t.Context(), http.MethodPost, endpoint,
		strings.NewReader("Action=DescribeSubnets&Version=2016-11-15")))(s.t)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0")
	response := must(http.DefaultClient.Do(request))(s.t)
	body := string(must(io.ReadAll(response.Body))(s.t))
	_ = response.Body.Close()
	var subnets []string
	for _, part := range strings.Split(body, "<subnetId>")[1:] {
		subnets = append(subnets, part[:strings.IndexByte(part, '<')])
	}
	_, vpc, _ := strings.Cut(body, "<vpcId>")
	s.vpc = vpc[:strings.IndexByte(vpc, '<')]
	return subnets[:2]
}

// route makes a target group behind a host of the listener.
func (s *stack) route(name string, priority int32) (group string) {
	s.t.Helper()
	made := must(s.elb.CreateTargetGroup(s.t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String(fmt.Sprintf("%s-%d", name, time.Now().UnixNano())), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080),
		VpcId: &s.vpc, TargetType: elbtypes.TargetTypeEnumIp, HealthCheckPath: aws.String("/health"),
		HealthCheckIntervalSeconds: aws.Int32(2), HealthCheckTimeoutSeconds: aws.Int32(1), UnhealthyThresholdCount: aws.Int32(2),
	}))(s.t)
	group = *made.TargetGroups[0].TargetGroupArn
	must(s.elb.CreateRule(s.t.Context(), &elb.CreateRuleInput{
		ListenerArn: &s.listener, Priority: &priority,
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("host-header"), Values: []string{name + ".example.com"}}},
		Actions:    []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	}))(s.t)
	return group
}

func (s *stack) define(family, image string, variables map[string]string, secrets ...types.Secret) string {
	s.t.Helper()
	var environment []types.KeyValuePair
	for name, value := range variables {
		environment = append(environment, types.KeyValuePair{Name: &name, Value: &value})
	}
	out := must(s.ecs.RegisterTaskDefinition(s.t.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: &family, Memory: aws.String("512"), Cpu: aws.String("256"), ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: &image, Essential: aws.Bool(true), Memory: aws.Int32(512), Environment: environment, Secrets: secrets,
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080)}},
			LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/" + family, "awslogs-stream-prefix": "web", "awslogs-region": "us-east-1",
			}},
		}},
	}))(s.t)
	return *out.TaskDefinition.TaskDefinitionArn
}

// create makes a service; without a group it has no load balancer.
func (s *stack) create(name, definition, group string, desired int32) types.Service {
	s.t.Helper()
	in := &awsecs.CreateServiceInput{
		Cluster: &s.cluster, ServiceName: &name, TaskDefinition: &definition, DesiredCount: &desired, LaunchType: types.LaunchTypeFargate,
		DeploymentConfiguration: &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{
			Enable: true, Rollback: true, ThresholdConfiguration: &types.ThresholdConfiguration{Type: types.ThresholdTypeCount, Value: 2},
		}},
	}
	if group != "" {
		in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: &group, ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}}
	}
	return *must(s.ecs.CreateService(s.t.Context(), in))(s.t).Service
}

func (s *stack) update(name, definition string) types.Service {
	s.t.Helper()
	return *must(s.ecs.UpdateService(s.t.Context(), &awsecs.UpdateServiceInput{
		Cluster: &s.cluster, Service: &name, TaskDefinition: &definition,
	}))(s.t).Service
}

func (s *stack) describe(name string) types.Service {
	s.t.Helper()
	out := must(s.ecs.DescribeServices(s.t.Context(), &awsecs.DescribeServicesInput{Cluster: &s.cluster, Services: []string{name}}))(s.t)
	return out.Services[0]
}

// await describes a service until it is as wanted.
func (s *stack) await(name string, wanted func(types.Service) bool) types.Service {
	s.t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for {
		service := s.describe(name)
		if wanted(service) {
			return service
		}
		if time.Now().After(deadline) {
			told, _ := json.MarshalIndent(service, "", " ")
			s.t.Fatalf("service %s did not become as wanted: %s", name, told)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stopped describes the tasks of a service that have ended.
func (s *stack) stopped(name string) []types.Task {
	s.t.Helper()
	list := must(s.ecs.ListTasks(s.t.Context(), &awsecs.ListTasksInput{
		Cluster: &s.cluster, ServiceName: &name, DesiredStatus: types.DesiredStatusStopped,
	}))(s.t)
	if len(list.TaskArns) == 0 {
		return nil
	}
	return must(s.ecs.DescribeTasks(s.t.Context(), &awsecs.DescribeTasksInput{Cluster: &s.cluster, Tasks: list.TaskArns}))(s.t).Tasks
}

func (s *stack) get(host string) (int, string) {
	request := must(http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/", nil))(s.t)
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
