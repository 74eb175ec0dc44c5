package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

const (
	// placeholderImage answers 200 to every path, the health check's too, on port 8080
	// and as nobody special, until something better is deployed. It needs neither a
	// command nor a variable, which every preview would inherit.
	placeholderImage = "docker.io/mendhak/http-https-echo:37"
	// samplePort is one that a program may open without being root.
	samplePort   = 8080
	sampleHealth = "/healthz"
	sampleCIDR   = "10.0.0.0/16"
	// firstRule is the priority of the sample's first rule, before all overrides.
	firstRule = 10
)

// sampleBaseline is a small baseline for a first try in an empty account. It stands in the
// stack of the suite, because the edge cannot be made without its load balancer; it
// is named by the catalog's words, and nothing else knows that it is a sample.
type sampleBaseline struct {
	*previews

	vpc       awsec2.Vpc
	cluster   awsecs.Cluster
	execution awsiam.Role // starts all tasks, the previews' too
	listener  elb.ApplicationListener
	balancer  elb.ApplicationLoadBalancer
}

// makeSample makes a VPC, a cluster, an internal load balancer with a certificate,
// the catalog's services, their queues, and the names they need.
func (p *previews) makeSample() error {
	in := p.catalog.Installation
	s := &sampleBaseline{previews: p}
	zone := awsroute53.HostedZone_FromHostedZoneAttributes(p.stack, jsii.String("Zone"), &awsroute53.HostedZoneAttributes{
		HostedZoneId: &in.HostedZone.ID, ZoneName: &in.HostedZone.Name,
	})
	certificate := awscertificatemanager.NewCertificate(p.stack, jsii.String("Certificate"), &awscertificatemanager.CertificateProps{
		DomainName: jsii.String("*." + p.catalog.BaseDomain), SubjectAlternativeNames: jsii.Strings(p.catalog.Baseline.Host),
		Validation: awscertificatemanager.CertificateValidation_FromDns(zone),
	})
	s.network()
	s.loadBalancer(zone, certificate)
	s.services()
	for _, name := range slices.Sorted(maps.Keys(p.catalog.Queues)) {
		queue := awssqs.NewQueue(p.stack, jsii.String("Queue-"+name), &awssqs.QueueProps{
			QueueName: jsii.String(p.catalog.Queues[name].Clone), Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
		})
		accept(queue, "AwsSolutions-SQS3", "A queue of the sample, which nobody minds losing a message of.")
	}
	p.catalog.Baseline.Listeners[0] = *s.listener.ListenerArn()
	p.baseline = baseline{
		cluster: p.catalog.Baseline.Cluster, listener: *s.listener.ListenerArn(), balancer: s.balancer, host: p.catalog.Baseline.Host,
		certificate: *certificate.CertificateArn(), zone: zone,
	}
	return nil
}

func (s *sampleBaseline) network() {
	s.vpc = awsec2.NewVpc(s.stack, jsii.String("Vpc"), &awsec2.VpcProps{
		AvailabilityZones: jsii.Strings(s.zones...), NatGateways: jsii.Number(1),
		IpAddresses: awsec2.IpAddresses_Cidr(jsii.String(sampleCIDR)),
	})
	s.zonesByID()
	flows := s.vpc.AddFlowLog(jsii.String("Flows"), &awsec2.FlowLogOptions{
		Destination: awsec2.FlowLogDestination_ToCloudWatchLogs(awslogs.NewLogGroup(s.stack, jsii.String("FlowLog"), &awslogs.LogGroupProps{
			Retention: awslogs.RetentionDays_ONE_WEEK, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		}), nil),
		TrafficType: awsec2.FlowLogTrafficType_REJECT,
	})
	afterPolicies(flows, policyOf(flows.IamRole()))
	s.cluster = awsecs.NewCluster(s.stack, jsii.String("Cluster"), &awsecs.ClusterProps{
		ClusterName: &s.catalog.Baseline.Cluster, Vpc: s.vpc, ContainerInsightsV2: awsecs.ContainerInsights_ENABLED,
	})
}

// loadBalancer is internal: only CloudFront's VPC origin and the VPC itself reach it.
// What comes through the origin has CloudFront's addresses, not the VPC's. Their list
// counts as 55 of the 60 rules of a group, so that it has one for itself
// (docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html).
func (s *sampleBaseline) loadBalancer(zone awsroute53.IHostedZone, certificate awscertificatemanager.Certificate) {
	group := awsec2.NewSecurityGroup(s.stack, jsii.String("LoadBalancerGroup"), &awsec2.SecurityGroupProps{
		Vpc: s.vpc, Description: jsii.String("The load balancer of the sample."), AllowAllOutbound: jsii.Bool(true),
	})
	group.AddIngressRule(awsec2.Peer_Ipv4(jsii.String(sampleCIDR)), awsec2.Port_Tcp(jsii.Number(443)), jsii.String("From the services of the baseline to each other"), nil)
	edge := awsec2.NewSecurityGroup(s.stack, jsii.String("EdgeGroup"), &awsec2.SecurityGroupProps{
		Vpc: s.vpc, Description: jsii.String("What CloudFront asks of the load balancer of the sample."), AllowAllOutbound: jsii.Bool(false),
	})
	edge.AddIngressRule(awsec2.Peer_PrefixList(&s.prefixList), awsec2.Port_Tcp(jsii.Number(443)), jsii.String("From CloudFront's VPC origin"), nil)
	s.balancer = elb.NewApplicationLoadBalancer(s.stack, jsii.String("Balancer"), &elb.ApplicationLoadBalancerProps{
		Vpc: s.vpc, InternetFacing: jsii.Bool(false), SecurityGroup: group, LoadBalancerName: jsii.String("staging"), DropInvalidHeaderFields: jsii.Bool(true),
	})
	s.balancer.AddSecurityGroup(edge)
	// The services find each other by the baseline's host.
	awsroute53.NewARecord(s.stack, jsii.String("BaselineName"), &awsroute53.ARecordProps{
		Zone: zone, RecordName: &s.catalog.Baseline.Host,
		Target: awsroute53.RecordTarget_FromAlias(awsroute53targets.NewLoadBalancerTarget(s.balancer, nil)),
	})
	s.balancer.LogAccessLogs(s.logs, jsii.String("load-balancer"))
	s.listener = s.balancer.AddListener(jsii.String("Https"), &elb.BaseApplicationListenerProps{
		Port: jsii.Number(443), Certificates: &[]elb.IListenerCertificate{certificate}, Open: jsii.Bool(false),
		SslPolicy:     elb.SslPolicy_RECOMMENDED_TLS,
		DefaultAction: elb.ListenerAction_FixedResponse(jsii.Number(404), &elb.FixedResponseOptions{ContentType: jsii.String("text/plain"), MessageBody: jsii.String("Nothing is here.")}),
	})
}

// services run a placeholder until something is merged. Each has a rule for the
// baseline's host before all overrides, and one for its paths on any host after them.
func (s *sampleBaseline) services() {
	roles := s.catalog.Installation.ExecutionRoles
	s.execution = s.taskRole("ExecutionRole", "Starts the tasks of the sample, shared and previewed.", jsii.String(roles[0][strings.LastIndex(roles[0], "/")+1:]))
	s.mayPull(s.execution)
	for i, name := range s.backends() {
		service := s.catalog.Services[name]
		group := s.service(name, service.ECSService)
		paths := elb.ListenerCondition_PathPatterns(jsii.Strings(service.Paths...))
		s.rule(name+"Host", firstRule+i, group, elb.ListenerCondition_HostHeaders(jsii.Strings(s.catalog.Baseline.Host)), paths)
		s.rule(name+"Fallback", s.catalog.Baseline.Priorities.Fallbacks[0]+i, group, paths)
	}
}

func (s *sampleBaseline) rule(id string, priority int, group elb.ApplicationTargetGroup, conditions ...elb.ListenerCondition) {
	elb.NewApplicationListenerRule(s.stack, jsii.String("Rule-"+id), &elb.ApplicationListenerRuleProps{
		Listener: s.listener, Priority: jsii.Number(float64(priority)), Conditions: &conditions,
		Action: elb.ListenerAction_Forward(&[]elb.IApplicationTargetGroup{group}, nil),
	})
}

func (s *sampleBaseline) service(name, ecsService string) elb.ApplicationTargetGroup {
	task, preview, execution := s.taskRole("TaskRole-"+name, "Of the tasks of "+name+".", nil), s.previewRole(name), s.execution
	s.mayConsume(task, s.queueNames(name, s.baselineQueue)...)
	if cloned := s.queueNames(name, s.clonedQueue); len(cloned) > 0 {
		s.mayConsume(preview, cloned...)
		accept(preview, "AwsSolutions-IAM5", "The copies of a queue are named after environments, which only requests say.")
	}
	definition := awsecs.NewFargateTaskDefinition(s.stack, jsii.String("Task-"+name), &awsecs.FargateTaskDefinitionProps{
		Family: jsii.String("staging-" + name), Cpu: jsii.Number(256), MemoryLimitMiB: jsii.Number(512),
		RuntimePlatform: &awsecs.RuntimePlatform{CpuArchitecture: awsecs.CpuArchitecture_ARM64(), OperatingSystemFamily: awsecs.OperatingSystemFamily_LINUX()},
		TaskRole:        task, ExecutionRole: execution,
	})
	definition.AddContainer(jsii.String(name), &awsecs.ContainerDefinitionOptions{
		Image:        awsecs.ContainerImage_FromRegistry(jsii.String(placeholderImage), nil),
		PortMappings: &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(samplePort)}},
		Environment:  s.variables(name),
		Logging: awsecs.LogDriver_AwsLogs(&awsecs.AwsLogDriverProps{StreamPrefix: jsii.String(name), LogGroup: awslogs.NewLogGroup(s.stack, jsii.String("TaskLog-"+name), &awslogs.LogGroupProps{
			Retention: awslogs.RetentionDays_ONE_WEEK, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
		})}),
	})
	afterPolicies(definition, policiesOf(task, execution)...)
	accept(definition, "AwsSolutions-ECS2", "A port, the host of the baseline and the URL of a queue are no secrets.")
	service := awsecs.NewFargateService(s.stack, jsii.String("Service-"+name), &awsecs.FargateServiceProps{
		ServiceName: &ecsService, Cluster: s.cluster, TaskDefinition: definition, DesiredCount: jsii.Number(1),
		MinHealthyPercent: jsii.Number(100), CircuitBreaker: &awsecs.DeploymentCircuitBreaker{Rollback: jsii.Bool(true)},
	})
	service.Connections().AllowFrom(s.balancer, awsec2.Port_Tcp(jsii.Number(samplePort)), jsii.String("From the load balancer"))
	group := elb.NewApplicationTargetGroup(s.stack, jsii.String("Group-"+name), &elb.ApplicationTargetGroupProps{
		TargetGroupName: jsii.String("staging-" + name), Vpc: s.vpc, Port: jsii.Number(samplePort), Protocol: elb.ApplicationProtocol_HTTP,
		TargetType: elb.TargetType_IP, Targets: &[]elb.IApplicationLoadBalancerTarget{service},
		HealthCheck: &elb.HealthCheck{Path: jsii.String(sampleHealth), HealthyHttpCodes: jsii.String("200")},
	})
	return group
}

// taskRole is one of the baseline; a name is for those that the catalog names.
func (s *sampleBaseline) taskRole(id, description string, name *string) awsiam.Role {
	return awsiam.NewRole(s.stack, &id, &awsiam.RoleProps{
		RoleName: name, Description: &description, AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs-tasks.amazonaws.com"), nil),
	})
}

// previewRole is what previews of a service run with, behind the boundary: the role
// that the catalog names.
func (s *sampleBaseline) previewRole(name string) awsiam.Role {
	_, path, _ := strings.Cut(s.catalog.Services[name].PreviewTaskRole, ":role")
	slash := strings.LastIndex(path, "/")
	return awsiam.NewRole(s.stack, jsii.String("PreviewRole-"+name), &awsiam.RoleProps{
		Path: jsii.String(path[:slash+1]), RoleName: jsii.String(path[slash+1:]), PermissionsBoundary: s.boundary,
		Description: jsii.String("Of the tasks of previews of " + name + "."), AssumedBy: awsiam.NewServicePrincipal(jsii.String("ecs-tasks.amazonaws.com"), nil),
	})
}

// variables lead a service of the baseline to the baseline.
func (s *sampleBaseline) variables(name string) *map[string]*string {
	variables := map[string]*string{"PORT": jsii.String(strconv.Itoa(samplePort))}
	for variable := range s.catalog.Services[name].Calls {
		variables[variable] = jsii.String("https://" + s.catalog.Baseline.Host)
	}
	for variable, queue := range s.catalog.Services[name].Consumes {
		variables[variable] = jsii.String(fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", s.region, s.account, s.catalog.Queues[queue].Clone))
	}
	return &variables
}

// mayConsume lets a role read queues.
func (s *sampleBaseline) mayConsume(role awsiam.Role, queues ...string) {
	for _, queue := range queues {
		role.AddToPolicy(allow([]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"}, queue))
	}
}

// queueNames are the ARNs of what a service consumes.
func (s *sampleBaseline) queueNames(service string, arn func(queue string) string) []string {
	var arns []string
	for _, queue := range slices.Sorted(maps.Values(s.catalog.Services[service].Consumes)) {
		arns = append(arns, arn(queue))
	}
	return arns
}

func (s *sampleBaseline) baselineQueue(queue string) string {
	return s.arn("sqs", s.catalog.Queues[queue].Clone)
}

func (s *sampleBaseline) clonedQueue(queue string) string {
	return s.arn("sqs", s.prefix+"-*-"+queue+"-*")
}

// mayPull lets tasks start from what was merged and from what is previewed.
func (s *sampleBaseline) mayPull(role awsiam.Role) {
	role.AddToPolicy(allow([]string{"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"},
		s.arn("ecr", "repository/"+s.prefix+"/*"), s.arn("ecr", "repository/"+s.prefix+"-main/*")))
	role.AddToPolicy(allow([]string{"ecr:GetAuthorizationToken"}, "*"))
	accept(role, "AwsSolutions-IAM5", "Images of every service, merged and previewed; ecr:GetAuthorizationToken has no resource level on AWS.")
}
