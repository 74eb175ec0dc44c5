package doctor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/middleware"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/awstest/baseline"
)

const (
	domain     = "preview.example.com"
	staging    = "staging.example.com"
	trust      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// world is a sound baseline in the emulator, to be damaged.
type world struct {
	t *testing.T
	clients
	baseline.Network
	doctor   *doctor // of the seeding, for its calls of EC2
	options  Options
	catalog  *catalog.Catalog
	group    string // security group of the load balancer
	balancer string
	listener string
	groups   map[string]string // target group of each service
	rules    map[string]string // ARN of the baseline's rule of each service
	shared   map[string]string // and of its fallback
	grace    int32             // which the emulator does not keep
	cert     string            // of the listener
	zone     string            // id
	slack    func(http.ResponseWriter)
	github   map[string]int // status by path
	// answers are given in place of the emulator's, by operation; an error is one.
	answers map[string]any
	// edits change the emulator's answers, by operation.
	edits map[string]func(any)
}

func sound(t *testing.T) *world {
	t.Helper()
	cfg := awstest.Config(t)
	w := &world{t: t, Network: baseline.SeedNetwork(t, cfg), groups: map[string]string{}, rules: map[string]string{}, shared: map[string]string{}, grace: 60, edits: map[string]func(any){}, github: map[string]int{}}
	quiet := awstest.Quiet(cfg)
	w.clients = newClients(quiet)
	w.doctor = &doctor{Options: Options{Config: quiet, HTTP: http.DefaultClient}, region: awstest.Region}
	w.seedBalancer()
	w.catalog = w.read()
	w.seedServices()
	w.seedAccount()
	w.lacking()
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("answers", w.answer), middleware.After)
	})
	w.options = Options{
		Config: cfg, Catalog: w.catalog, Prefix: "pv", Tokens: true, LookupNS: w.delegated,
		Slack: w.serve(w.askSlack), GitHub: w.serve(w.askGitHub),
	}
	return w
}

// read makes the catalog of what was seeded so far.
func (w *world) read() *catalog.Catalog {
	text := strings.NewReplacer("${LISTENER}", w.listener, "${CERTIFICATE}", w.seedCertificate("*."+domain)).Replace(`
baseDomain: preview.example.com
label: pr{{pullRequest}}
baseline:
  host: staging.example.com
  cluster: staging
  listeners: ["${LISTENER}"]
  priorities: {overrides: [1000, 39999], fallbacks: [40000, 49999]}
lifetime: {default: 60m, max: 24h, warn: 10m}
limits: {environments: 30, perOwner: 3}
repositories: {shop: {github: acme/shop}}
services:
  service1:
    repository: shop
    ecsService: service1
    paths: [/service1, /service1/*]
    build: {buildspec: service1/buildspec.yml, architecture: arm64}
    previewTaskRole: arn:aws:iam::123456789012:role/preview/task
    calls: {SERVICE2_HOST: service2}
    consumes: {ORDERS_QUEUE_URL: orders}
  service2: {repository: shop, ecsService: service2, paths: [/service2, /service2/*], previewTaskRole: "arn:aws:iam::123456789012:role/preview/task", build: {buildspec: service2/buildspec.yml, architecture: arm64}}
  web: {repository: shop, frontend: {output: dist}, build: {buildspec: web/buildspec.yml}}
queues: {orders: {clone: staging-orders}}
installation:
  prefix: pv
  hostedZone: {id: Z0123456789ABCDEFGHIJ, name: example.com}
  certificate: ${CERTIFICATE}
  connection: arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef
  executionRoles: ["arn:aws:iam::123456789012:role/staging-execution"]
`)
	c, err := catalog.Parse([]byte(text))
	w.must(err)
	c.Installation.HostedZone.ID = w.seedZone() // the emulator's ids are not AWS's
	return c
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// query makes one call of EC2 and returns the text of an element of the answer.
func (w *world) query(action string, parameters url.Values) described {
	w.t.Helper()
	found, err := w.doctor.ec2(w.t.Context(), action, parameters)
	w.must(err)
	return found
}

func (w *world) seedBalancer() {
	w.query("CreateSecurityGroup", url.Values{"GroupName": {"balancer"}, "GroupDescription": {"of the load balancer"}, "VpcId": {w.VPC}})
	w.group = w.query("DescribeSecurityGroups", filtered("group-name", "balancer")).Groups[0].ID
	w.admit(w.query("DescribeManagedPrefixLists", filtered("prefix-list-name", originPrefix)).PrefixLists[0])
	w.query("CreateInternetGateway", url.Values{})
	for _, gateway := range w.query("DescribeInternetGateways", url.Values{}).Gateways {
		w.query("AttachInternetGateway", url.Values{"InternetGatewayId": {gateway}, "VpcId": {w.VPC}})
	}
	w.cert = w.seedCertificate(staging)
	w.balancer = w.newBalancer("staging", elbtypes.LoadBalancerSchemeEnumInternal, w.Subnets)
	w.listener = w.newListener(w.balancer)
}

func (w *world) newBalancer(name string, scheme elbtypes.LoadBalancerSchemeEnum, subnets []string) string {
	out, err := w.ELB.CreateLoadBalancer(w.t.Context(), &elb.CreateLoadBalancerInput{
		Name: &name, Subnets: subnets, Scheme: scheme, SecurityGroups: []string{w.group}, Type: elbtypes.LoadBalancerTypeEnumApplication,
	})
	w.must(err)
	return *out.LoadBalancers[0].LoadBalancerArn
}

func (w *world) newListener(balancer string) string {
	out, err := w.ELB.CreateListener(w.t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &balancer, Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps,
		Certificates: []elbtypes.Certificate{{CertificateArn: &w.cert}}, DefaultActions: refusal("404"),
	})
	w.must(err)
	return *out.Listeners[0].ListenerArn
}

func refusal(status string) []elbtypes.Action {
	return []elbtypes.Action{{
		Type:                elbtypes.ActionTypeEnumFixedResponse,
		FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: &status, ContentType: aws.String("text/plain")},
	}}
}

// seedCertificate imports one that is valid for a year.
func (w *world) seedCertificate(host string) string { return w.certificate(host, 365*24*time.Hour) }

func (w *world) certificate(host string, left time.Duration) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(left)}
	template.Subject.CommonName = host
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	w.must(err)
	private, err := x509.MarshalECPrivateKey(key)
	w.must(err)
	text := func(kind string, data []byte) []byte {
		var b bytes.Buffer
		w.must(pem.Encode(&b, &pem.Block{Type: kind, Bytes: data}))
		return b.Bytes()
	}
	out, err := w.ACM.ImportCertificate(w.t.Context(), &acm.ImportCertificateInput{
		Certificate: text("CERTIFICATE", der), PrivateKey: text("EC PRIVATE KEY", private),
	})
	w.must(err)
	return *out.CertificateArn
}

func (w *world) seedZone() string {
	out, err := w.Route53.CreateHostedZone(w.t.Context(), &route53.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String("1")})
	w.must(err)
	w.zone = strings.TrimPrefix(*out.HostedZone.Id, "/hostedzone/")
	return w.zone
}

func (w *world) seedServices() {
	ctx := w.t.Context()
	_, err := w.ECS.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("staging")})
	w.must(err)
	for i, name := range []string{"service1", "service2"} {
		_, err := w.Logs.CreateLogGroup(ctx, &logs.CreateLogGroupInput{LogGroupName: aws.String("/staging/" + name)})
		w.must(err)
		group, err := w.ELB.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String("staging-" + name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &w.VPC, TargetType: elbtypes.TargetTypeEnumIp,
			HealthCheckPath: aws.String("/healthz"), HealthCheckTimeoutSeconds: aws.Int32(4), HealthCheckIntervalSeconds: aws.Int32(30),
		})
		w.must(err)
		w.groups[name] = *group.TargetGroups[0].TargetGroupArn
		paths := []string{"/" + name, "/" + name + "/*"}
		w.rules[name] = w.rule(1+i, []string{staging}, paths, w.groups[name])
		w.shared[name] = w.rule(40000+i, nil, paths, w.groups[name])
		w.register(name, func(*ecs.RegisterTaskDefinitionInput) {})
		_, err = w.ECS.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: aws.String("staging"), ServiceName: &name, DesiredCount: aws.Int32(1), TaskDefinition: &name, LaunchType: ecstypes.LaunchTypeFargate,
			LoadBalancers:        []ecstypes.LoadBalancer{{ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080), TargetGroupArn: aws.String(w.groups[name])}},
			NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: w.Subnets, SecurityGroups: []string{w.group}}},
		})
		w.must(err)
	}
	_, err = w.SQS.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("staging-orders")})
	w.must(err)
}

func (w *world) rule(priority int, hosts, paths []string, group string) string {
	w.t.Helper()
	in := &elb.CreateRuleInput{
		ListenerArn: &w.listener, Priority: aws.Int32(int32(priority)),
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	}
	if hosts != nil {
		in.Conditions = append(in.Conditions, elbtypes.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: hosts}})
	}
	if paths != nil {
		in.Conditions = append(in.Conditions, elbtypes.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: paths}})
	}
	out, err := w.ELB.CreateRule(w.t.Context(), in)
	w.must(err)
	return *out.Rules[0].RuleArn
}

// register makes a revision of a service's task definition and, if the service is
// there, lets it run that.
func (w *world) register(name string, change func(*ecs.RegisterTaskDefinitionInput)) {
	w.t.Helper()
	role := "arn:aws:iam::" + awstest.Account + ":role/staging-"
	in := &ecs.RegisterTaskDefinitionInput{
		Family: &name, NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		RuntimePlatform:         &ecstypes.RuntimePlatform{CpuArchitecture: ecstypes.CPUArchitectureArm64},
		TaskRoleArn:             aws.String(role + "task"), ExecutionRoleArn: aws.String(role + "execution"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String("registry.example.com/" + name + ":live"), Essential: aws.Bool(true), Memory: aws.Int32(512),
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
			LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/staging/" + name, "awslogs-region": awstest.Region, "awslogs-stream-prefix": name,
			}},
		}},
	}
	change(in)
	_, err := w.ECS.RegisterTaskDefinition(w.t.Context(), in)
	w.must(err)
	w.update(&ecs.UpdateServiceInput{Service: &name, TaskDefinition: &name})
}

// update changes a service that is there.
func (w *world) update(in *ecs.UpdateServiceInput) {
	w.t.Helper()
	in.Cluster = aws.String("staging")
	if _, err := w.ECS.UpdateService(w.t.Context(), in); err != nil && codeOf(err) != "ServiceNotFoundException" {
		w.t.Fatal(err)
	}
}

func (w *world) seedAccount() {
	ctx := w.t.Context()
	policy, err := w.IAM.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("pv-preview-boundary"), PolicyDocument: aws.String(everything)})
	w.must(err)
	for name, path := range map[string]string{"task": "/preview/", "staging-execution": "/"} {
		_, err := w.IAM.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(trust), PermissionsBoundary: policy.Policy.Arn})
		w.must(err)
	}
	for _, name := range []string{slackToken, signingSecret, gitHubToken} {
		_, err := w.Secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("pv/" + name), SecretString: aws.String("value-of-" + name)})
		w.must(err)
	}
	_, err = w.SSM.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/cdk-bootstrap/hnb659fds/version"), Value: aws.String("28"), Type: "String"})
	w.must(err)
}
