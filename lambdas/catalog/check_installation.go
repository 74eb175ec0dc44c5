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
		func(v string) bool { return len(v) <= longestPrefix && prefix.MatchString(v) })
	c.text(path+".hostedZone.id", in.HostedZone.ID, "the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ", zone.MatchString)
	c.text(path+".hostedZone.name", in.HostedZone.Name, "the DNS name of the hosted zone that holds the base domain", func(v string) bool {
		return domain.MatchString(v) && (c.BaseDomain == "" || c.BaseDomain == v || strings.HasSuffix(c.BaseDomain, "."+v))
	})
	c.text(path+".certificate", in.Certificate, "the ARN of a certificate in us-east-1, where CloudFront looks for it", certificate.MatchString)
	// Previews are built from what the build function stores: it reads GitHub by a token.
	if in.Connection != "" || slices.ContainsFunc(slices.Collect(maps.Values(c.Services)), func(s Service) bool { return s.MainPipeline }) {
		c.text(path+".connection", in.Connection, "the ARN of a CodeConnections connection, by which main pipelines read GitHub", connection.MatchString)
	}
	for i, r := range in.ExecutionRoles {
		c.text(fmt.Sprintf("%s.executionRoles[%d]", path, i), r, mustRole, role.MatchString)
	}
	if in.AlarmTopic != "" {
		c.text(path+".alarmTopic", in.AlarmTopic, "the ARN of an SNS topic", topic.MatchString)
	}
}
