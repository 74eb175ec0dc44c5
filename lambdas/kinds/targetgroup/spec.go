package targetgroup

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Spec is a target group cloned from that of the baseline service.
type Spec struct {
	Name            string      `json:"name"` // at most 32 characters, unique in the account and Region
	Protocol        string      `json:"protocol"`
	ProtocolVersion string      `json:"protocolVersion,omitempty"`
	Port            int32       `json:"port"`
	VPC             string      `json:"vpc"`
	TargetType      string      `json:"targetType"`
	HealthCheck     HealthCheck `json:"healthCheck"`
}

// HealthCheck is the baseline's, but quicker: as often as its timeout allows, and a
// new target needs the fewest successes that ELBv2 takes.
type HealthCheck struct {
	Protocol           string `json:"protocol"`
	Port               string `json:"port"`
	Path               string `json:"path,omitempty"`
	Matcher            string `json:"matcher,omitempty"` // HTTP codes; gRPC codes of a GRPC group
	IntervalSeconds    int32  `json:"intervalSeconds"`
	TimeoutSeconds     int32  `json:"timeoutSeconds"`
	HealthyThreshold   int32  `json:"healthyThreshold"`
	UnhealthyThreshold int32  `json:"unhealthyThreshold"`
}

// The health check of an environment: the interval and thresholds are the least
// that ELBv2 takes (botocore, CreateTargetGroupInput). A timeout has to be below the
// interval: the baseline's is kept, because a check that takes long there takes long
// here, and the interval gives way.
const (
	interval  = 5
	threshold = 2
)

// grpc is the ProtocolVersion whose matcher is of gRPC codes.
const grpc = "GRPC"

// Clone copies the baseline's target group under another name, with its health
// check made quicker. The baseline's patience with a target that fails is kept.
func Clone(baseline types.TargetGroup, name string) Spec {
	check := checkOf(baseline)
	if check.TimeoutSeconds == 0 {
		check.TimeoutSeconds = interval - 1
	}
	check.IntervalSeconds = max(interval, check.TimeoutSeconds+1)
	check.HealthyThreshold = threshold
	check.UnhealthyThreshold = max(threshold, check.UnhealthyThreshold)
	return Spec{
		Name:     name,
		Protocol: string(baseline.Protocol), ProtocolVersion: aws.ToString(baseline.ProtocolVersion),
		Port: aws.ToInt32(baseline.Port), VPC: aws.ToString(baseline.VpcId), TargetType: string(baseline.TargetType),
		HealthCheck: check,
	}
}

func checkOf(group types.TargetGroup) HealthCheck {
	check := HealthCheck{
		Protocol: string(group.HealthCheckProtocol), Port: aws.ToString(group.HealthCheckPort), Path: aws.ToString(group.HealthCheckPath),
		IntervalSeconds: aws.ToInt32(group.HealthCheckIntervalSeconds), TimeoutSeconds: aws.ToInt32(group.HealthCheckTimeoutSeconds),
		HealthyThreshold: aws.ToInt32(group.HealthyThresholdCount), UnhealthyThreshold: aws.ToInt32(group.UnhealthyThresholdCount),
	}
	if group.Matcher != nil {
		check.Matcher = aws.ToString(group.Matcher.HttpCode)
		if aws.ToString(group.ProtocolVersion) == grpc {
			check.Matcher = aws.ToString(group.Matcher.GrpcCode)
		}
	}
	return check
}

func (s Spec) creation(tags map[string]string) *elb.CreateTargetGroupInput {
	in := &elb.CreateTargetGroupInput{
		Name: &s.Name, Protocol: types.ProtocolEnum(s.Protocol), ProtocolVersion: optional(s.ProtocolVersion),
		Port: &s.Port, VpcId: &s.VPC, TargetType: types.TargetTypeEnum(s.TargetType),
		HealthCheckEnabled:  aws.Bool(true),
		HealthCheckProtocol: types.ProtocolEnum(s.HealthCheck.Protocol), HealthCheckPort: optional(s.HealthCheck.Port),
		HealthCheckPath: optional(s.HealthCheck.Path), Matcher: s.matcher(),
		HealthCheckIntervalSeconds: &s.HealthCheck.IntervalSeconds, HealthCheckTimeoutSeconds: &s.HealthCheck.TimeoutSeconds,
		HealthyThresholdCount: &s.HealthCheck.HealthyThreshold, UnhealthyThresholdCount: &s.HealthCheck.UnhealthyThreshold,
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return in
}

func (s Spec) modification(arn string) *elb.ModifyTargetGroupInput {
	return &elb.ModifyTargetGroupInput{
		TargetGroupArn: &arn, HealthCheckEnabled: aws.Bool(true),
		HealthCheckProtocol: types.ProtocolEnum(s.HealthCheck.Protocol), HealthCheckPort: optional(s.HealthCheck.Port),
		HealthCheckPath: optional(s.HealthCheck.Path), Matcher: s.matcher(),
		HealthCheckIntervalSeconds: &s.HealthCheck.IntervalSeconds, HealthCheckTimeoutSeconds: &s.HealthCheck.TimeoutSeconds,
		HealthyThresholdCount: &s.HealthCheck.HealthyThreshold, UnhealthyThresholdCount: &s.HealthCheck.UnhealthyThreshold,
	}
}

func (s Spec) matcher() *types.Matcher {
	switch {
	case s.HealthCheck.Matcher == "":
		return nil
	case s.ProtocolVersion == grpc:
		return &types.Matcher{GrpcCode: aws.String(s.HealthCheck.Matcher)}
	}
	return &types.Matcher{HttpCode: aws.String(s.HealthCheck.Matcher)}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
