package targetgroup

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

// HealthCheck is the baseline's, but quicker: 5 s is the shortest interval that
// ELBv2 takes (botocore), and a new target needs one success.
type HealthCheck struct {
	Protocol           string `json:"protocol"`
	Port               string `json:"port"`
	Path               string `json:"path,omitempty"`
	Matcher            string `json:"matcher,omitempty"`
	IntervalSeconds    int32  `json:"intervalSeconds"`
	TimeoutSeconds     int32  `json:"timeoutSeconds"`
	HealthyThreshold   int32  `json:"healthyThreshold"`
	UnhealthyThreshold int32  `json:"unhealthyThreshold"`
}
