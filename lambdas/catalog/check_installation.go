package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// longestPrefix leaves room for a label and a service in the 32 characters of a
// target group's name.
const longestPrefix = 8

// reservedPrefixes are refused by Parameter Store, where the catalog is published
// (docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html),
// and by S3 (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
var reservedPrefixes = []string{"aws", "ssm", "sthree", "amzn"}

const mustRole = "the ARN of a role"

var (
	prefix      = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	zone        = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	certificate = regexp.MustCompile(`^arn:[^:]+:acm:us-east-1:\d{12}:certificate/[0-9a-f-]+$`)
	connection  = regexp.MustCompile(`^arn:[^:]+:(codeconnections|codestar-connections):[^:]+:\d{12}:connection/[0-9a-f-]+$`)
	role        = regexp.MustCompile(`^arn:[^:]+:iam::\d{12}:role/[A-Za-z0-9+=,.@_/-]+$`)
	topic       = regexp.MustCompile(`^arn:[^:]+:sns:[^:]+:\d{12}:[A-Za-z0-9_-]+$`)
)

// installation checks what only a deployment to AWS needs; a catalog without it is
// that of a local stack.
func (c *checker) installation() {
	const path = "installation"
	in := c.Installation
	if in == nil || c.isWrong(path) {
		return
	}
	c.text(path+".prefix", in.Prefix, fmt.Sprintf("1 to %d lower-case letters, digits and inner hyphens, such as pv", longestPrefix),
		func(v string) bool {
			return len(v) <= longestPrefix && prefix.MatchString(v) && !strings.Contains(v, twoHyphens)
		})
	for _, taken := range reservedPrefixes {
		if strings.HasPrefix(in.Prefix, taken) {
			c.say(path+".prefix", "%q begins with %q, which AWS keeps for itself; choose another, such as pv", in.Prefix, taken)
		}
	}
	c.ownPrefix(path + ".prefix")
	c.text(path+".hostedZone.id", in.HostedZone.ID, "the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ", zone.MatchString)
	c.text(path+".hostedZone.name", in.HostedZone.Name, "the DNS name of the hosted zone that holds the base domain", func(v string) bool {
		return domain.MatchString(v) && (c.BaseDomain == "" || c.BaseDomain == v || strings.HasSuffix(c.BaseDomain, "."+v))
	})
	c.text(path+".certificate", in.Certificate, "the ARN of a certificate in us-east-1, where CloudFront looks for it", certificate.MatchString)
	c.sameAccount(path+".certificate", in.Certificate, false)
	// Previews are built from what the build function stores: it reads GitHub by a token.
	if in.Connection != "" || slices.ContainsFunc(slices.Collect(maps.Values(c.Services)), func(s Service) bool { return s.MainPipeline }) {
		c.text(path+".connection", in.Connection, "the ARN of a CodeConnections connection, by which main pipelines read GitHub", connection.MatchString)
	}
	c.sameAccount(path+".connection", in.Connection, false)
	for i, r := range in.ExecutionRoles {
		c.text(fmt.Sprintf("%s.executionRoles[%d]", path, i), r, mustRole, role.MatchString)
		c.sameAccount(fmt.Sprintf("%s.executionRoles[%d]", path, i), r, false)
	}
	if in.AlarmTopic != "" {
		c.text(path+".alarmTopic", in.AlarmTopic, "the ARN of an SNS topic", topic.MatchString)
	}
}

// ownPrefix refuses a prefix that begins the baseline's own names. Whose a resource is
// its tags say, and not its name; but IAM grants some calls by the name alone, and a
// person reads nothing else.
func (c *checker) ownPrefix(path string) {
	prefix := c.Installation.Prefix
	if prefix == "" || c.isWrong(path) {
		return
	}
	refuse := func(where, name string) {
		if name == prefix || strings.HasPrefix(name, prefix+"-") {
			c.say(path, "%q begins the name %q of the baseline (%s); take one that nothing else begins with", prefix, name, where)
		}
	}
	refuse("baseline.cluster", c.Baseline.Cluster[strings.LastIndex(c.Baseline.Cluster, "/")+1:])
	for _, service := range slices.Sorted(maps.Keys(c.Services)) {
		refuse(join("services", service)+".ecsService", c.Services[service].ECSService)
	}
	for _, queue := range slices.Sorted(maps.Keys(c.Queues)) {
		refuse(join("queues", queue)+".clone", c.Queues[queue].Clone)
	}
}
