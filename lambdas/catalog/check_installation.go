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

var (
	prefix      = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	zone        = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	certificate = regexp.MustCompile(`^arn:[^:]+:acm:us-east-1:\d{12}:certificate/[0-9a-f-]+$`)
	connection  = regexp.MustCompile(`^arn:[^:]+:(codeconnections|codestar-connections):[^:]+:\d{12}:connection/[0-9a-f-]+$`)
	taskRole    = regexp.MustCompile(`^arn:[^:]+:iam::\d{12}:role/([A-Za-z0-9+=,.@_/-]+|[A-Za-z0-9+=,.@_/-]+/\*)$`)
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
		func(v string) bool { return len(v) <= longestPrefix && prefix.MatchString(v) })
	c.ownPrefix(path + ".prefix")
	c.text(path+".hostedZone.id", in.HostedZone.ID, "the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ", zone.MatchString)
	c.text(path+".hostedZone.name", in.HostedZone.Name, "the DNS name of the hosted zone that holds the base domain", func(v string) bool {
		return domain.MatchString(v) && (c.BaseDomain == "" || c.BaseDomain == v || strings.HasSuffix(c.BaseDomain, "."+v))
	})
	c.text(path+".certificate", in.Certificate, "the ARN of a certificate in us-east-1, where CloudFront looks for it", certificate.MatchString)
	c.text(path+".connection", in.Connection, "the ARN of a CodeConnections connection", connection.MatchString)
	if len(in.TaskRoles) == 0 && !c.isWrong(path+".taskRoles") {
		c.say(path+".taskRoles", "is missing; it has the ARNs of the roles that previews may run with")
	}
	for i, role := range in.TaskRoles {
		c.text(fmt.Sprintf("%s.taskRoles[%d]", path, i), role, "the ARN of a role, or of a path of roles that ends in /*", taskRole.MatchString)
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
