package catalog

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// lastPriority is the highest that a listener rule may have (botocore, CreateRuleInput).
const lastPriority = 50000

// narrowestBand is the least number of priorities for overrides: the rules of an
// environment look for a free one from a start of its own, and a narrow band would
// make them meet.
const narrowestBand = 1280

var (
	domain     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
	cluster    = regexp.MustCompile(`^(arn:[^:]+:ecs:[^:]+:\d{12}:cluster/)?[A-Za-z0-9_-]{1,255}$`)
	listener   = regexp.MustCompile(`^arn:[^:]+:elasticloadbalancing:[^:]+:\d{12}:listener/app/[^/]+/[^/]+/[^/]+$`)
	repository = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
)

// settings checks everything but services and queues.
func (c *checker) settings() {
	// A label has up to 63 characters and a dot; a host has up to 253.
	c.text("baseDomain", c.BaseDomain, "a DNS name without a port, such as preview.example.com", func(v string) bool {
		return len(v) <= 253-64 && domain.MatchString(v)
	})
	c.label()
	c.text("baseline.host", c.Baseline.Host, "the DNS name of the baseline, such as staging.example.com", func(v string) bool {
		return len(v) <= 253 && domain.MatchString(v)
	})
	c.text("baseline.cluster", c.Baseline.Cluster, "the name or ARN of an ECS cluster", cluster.MatchString)
	c.listeners()
	c.priorities()
	c.lifetime()
	c.limit("limits.environments", c.Limits.Environments)
	c.limit("limits.perOwner", c.Limits.PerOwner)
	c.edge()
	if all := c.Limits.Environments; all > 0 && c.Limits.PerOwner > all {
		c.say("limits.perOwner", "%d is more than the %d of limits.environments", c.Limits.PerOwner, all)
	}
	c.sameAccount("baseline.cluster", c.Baseline.Cluster, true)
	if c.Reaper.MaxRemovals < 0 {
		c.say("reaper.maxRemovals", "%d is negative; 0 is the default, %d", c.Reaper.MaxRemovals, mostRemovals)
	}

	keys := slices.Sorted(maps.Keys(c.Repositories))
	if len(keys) == 0 && !c.isWrong("repositories") {
		c.say("repositories", "is missing; it names at least one GitHub repository")
	}
	c.names("repositories", keys)
	for _, key := range keys {
		c.text(join("repositories", key)+".github", c.Repositories[key].GitHub, "a GitHub repository as owner/name", repository.MatchString)
	}
}

func (c *checker) label() {
	const must = "a template with {{pullRequest}} in it, such as pr{{pullRequest}}"
	c.text("label", c.Label, must, func(v string) bool { return strings.Contains(v, placeholderPullRequest) })
	if c.isWrong("label") || !strings.Contains(c.Label, placeholderPullRequest) {
		return
	}
	if len(c.Repositories) > 1 && !strings.Contains(c.Label, placeholderRepository) {
		c.say("label", "%d repositories have pull requests with the same numbers; add %s", len(c.Repositories), placeholderRepository)
	}
	// The longest that can come out of it. Six digits are more pull requests than
	// any repository of GitHub has.
	longest := "r"
	for key := range c.Repositories {
		if len(key) > len(longest) {
			longest = key
		}
	}
	if rendered := renderLabel(c.Label, 999999, longest); !ValidLabel(rendered) {
		c.say("label", "%q is no DNS label: up to %d lower-case letters, digits and single inner hyphens are", rendered, LongestLabel)
	}
}

func (c *checker) listeners() {
	const path = "baseline.listeners"
	switch {
	case c.isWrong(path):
	case len(c.Baseline.Listeners) == 0:
		c.say(path, "is missing; it has the ARN of one listener of the baseline's load balancer")
	case len(c.Baseline.Listeners) > 1:
		c.say(path, "one listener for now, not %d", len(c.Baseline.Listeners))
	default:
		c.text(path+"[0]", c.Baseline.Listeners[0], "the ARN of a listener of an Application Load Balancer", listener.MatchString)
	}
}

// sameAccount holds an ARN to the account of the listener, where everything is made, and
// to its Region if AWS demands that.
func (c *checker) sameAccount(path, arn string, region bool) {
	if len(c.Baseline.Listeners) == 0 || !listener.MatchString(c.Baseline.Listeners[0]) {
		return
	}
	of := func(arn string) (region, account string, ok bool) {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) < 6 || parts[0] != "arn" {
			return "", "", false
		}
		return parts[3], parts[4], true
	}
	homeRegion, homeAccount, _ := of(c.Baseline.Listeners[0])
	itsRegion, itsAccount, ok := of(arn)
	switch {
	case !ok || c.isWrong(path):
	case itsAccount != homeAccount:
		c.say(path, "is of account %s, and the listener of %s; all is in one account", itsAccount, homeAccount)
	case region && itsRegion != homeRegion:
		c.say(path, "is in %s, and the listener in %s; both are in one Region", itsRegion, homeRegion)
	}
}

func (c *checker) priorities() {
	const path = "baseline.priorities"
	overrides, fallbacks := c.Baseline.Priorities.Overrides, c.Baseline.Priorities.Fallbacks
	sound := c.band(path+".overrides", overrides)
	sound = c.band(path+".fallbacks", fallbacks) && sound
	if !sound {
		return
	}
	if width := overrides[1] - overrides[0] + 1; width < narrowestBand {
		c.say(path+".overrides", "has %d priorities; at least %d are needed", width, narrowestBand)
	}
	if overrides[1] >= fallbacks[0] {
		c.say(path+".fallbacks", "must begin after the overrides end, at %d: lower numbers are matched first", overrides[1])
	}
}

// band checks one band by itself.
func (c *checker) band(path string, band [2]int) bool {
	switch {
	case c.isWrong(path) || c.isWrong(path+"[0]") || c.isWrong(path+"[1]"):
		return false
	case band == [2]int{}:
		c.say(path, "is missing; it is the first and the last priority, such as [1000, 39999]")
		return false
	case band[0] < 1 || band[1] > lastPriority || band[0] > band[1]:
		c.say(path, "%d to %d does not lie within 1 to %d", band[0], band[1], lastPriority)
		return false
	}
	return true
}

func (c *checker) lifetime() {
	l := c.Lifetime
	sound := c.positive("lifetime.default", l.Default)
	sound = c.positive("lifetime.max", l.Max) && sound
	if sound && l.Default > l.Max {
		c.say("lifetime.default", "%s is longer than the longest, %s", l.Default, l.Max)
	}
	if l.Warn < 0 {
		c.say("lifetime.warn", "%s is negative; 0 is no warning", l.Warn)
	} else if sound && l.Warn >= l.Default {
		c.say("lifetime.warn", "%s must be shorter than the default, %s", l.Warn, l.Default)
	}
}

func (c *checker) positive(path string, d Duration) bool {
	switch _, there := c.lines[path]; {
	case c.isWrong(path):
		return false
	case !there:
		c.say(path, "is missing; it is a duration such as 60m")
		return false
	case d <= 0:
		c.say(path, "%s is not positive", d)
		return false
	}
	return true
}

// longestRead is CloudFront's
// (docs.aws.amazon.com/cloudfront/latest/APIReference/API_VpcOriginConfig.html).
const longestRead = 120 * time.Second

func (c *checker) edge() {
	const path = "edge.readTimeout"
	d := time.Duration(c.Edge.ReadTimeout)
	if _, there := c.lines[path]; !there || c.isWrong(path) {
		return
	}
	if d < time.Second || d > longestRead || d%time.Second != 0 {
		c.say(path, "%s is not a number of whole seconds from 1s to %s", c.Edge.ReadTimeout, Duration(longestRead))
	}
}

func (c *checker) limit(path string, n int) {
	if n < 0 {
		c.say(path, "%d is negative; 0 is no limit", n)
	}
}
