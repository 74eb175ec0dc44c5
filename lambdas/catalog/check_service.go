package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// A rule has five condition values (docs.aws.amazon.com, Application Load
	// Balancer quotas); the host is one.
	mostPaths = 4
	// A rule has five wildcards by the older page of quotas and six by the newer.
	mostWildcards = 5
	longestPath   = 128
	// statePath is what the edge answers itself (infra/edge, StatePath).
	statePath = "/_preview"
	// mostBehaviors of a distribution, the default one not counted; each path is one
	// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
	mostBehaviors = 74
)

// LongestBuild is how long a build may take. The state that waits for it also waits
// while the build is queued, and ends after two hours: a test of the CDK app adds up.
const LongestBuild = 80 * time.Minute

// PathBytes is how long the backends and their paths may be as JSON: they stand in the
// two viewer functions, whose code has 10 KB in all.
const PathBytes = 2560

var (
	// pattern has the characters that a path condition may have (botocore,
	// PathPatternConditionConfig).
	pattern = regexp.MustCompile(`^/[A-Za-z0-9_.$/~"'@:+&*?-]*$`)
	ecsName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	// branch has the characters that need no care anywhere.
	branch    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$`)
	queueName = regexp.MustCompile(`^([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$`)
)

// services checks each service by itself, then what two of them may not share.
func (c *checker) services() {
	keys := slices.Sorted(maps.Keys(c.Services))
	if len(keys) == 0 && !c.isWrong("services") {
		c.say("services", "is missing; it has at least one service")
	}
	c.names("services", keys)
	repositories := slices.Sorted(maps.Keys(c.Repositories))
	owners := map[string]string{} // path → service
	clones := map[string]string{} // ECS service → service
	frontend := ""
	for _, key := range keys {
		path, s := join("services", key), c.Services[key]
		if c.isWrong(path) {
			continue
		}
		c.known(path+".repository", s.Repository, "repository", repositories)
		c.build(path, s)
		switch {
		case s.ECSService != "" && s.Frontend != nil, s.ECSService == "" && s.Frontend == nil:
			if !c.isWrong(path+".ecsService") && !c.isWrong(path+".frontend") {
				c.say(path, "has either an ecsService to clone or a frontend, and not both")
			}
		case s.Frontend != nil:
			if frontend != "" {
				c.say(path+".frontend", "%s is the frontend already; a catalog has one, served at every path that no backend has", frontend)
			}
			frontend = key
			c.frontend(path, s)
		default:
			c.backend(path, key, s, owners)
			if owner, taken := clones[s.ECSService]; taken {
				c.say(path+".ecsService", "%s clones %s already; an environment would have two of it", owner, s.ECSService)
			}
			clones[s.ECSService] = key
		}
	}
	c.room(keys)
}

// room counts what all paths together take of the edge, and says on which service's
// line it is used up.
func (c *checker) room(keys []string) {
	type backend struct {
		Name  string   `json:"name"`
		Paths []string `json:"paths"`
	}
	paths, size := 0, 0
	full, long := false, false
	for _, key := range keys {
		at := join("services", key) + ".paths"
		s := c.Services[key]
		if s.ECSService == "" || c.isWrong(at) {
			continue
		}
		paths += len(s.Paths)
		text, _ := json.Marshal(backend{key, s.Paths}) // text can always be written
		size += len(text) + 1
		if paths > mostBehaviors && !full {
			full = true
			c.say(at, "the backends up to this one have %d paths, and the edge takes %d; join some by a wildcard", paths, mostBehaviors)
		}
		if size > PathBytes && !long {
			long = true
			c.say(at, "the paths up to this service take %d bytes, and the edge has room for %d; shorten some, or join them by a wildcard", size, PathBytes)
		}
	}
}

func (c *checker) build(path string, s Service) {
	c.file(path+".build.buildspec", s.Build.Buildspec, "the path of a buildspec in the repository, such as service1/buildspec.yml")
	if !slices.Contains([]string{"", ARM64, X86}, s.Build.Architecture) && !c.isWrong(path+".build.architecture") {
		c.say(path+".build.architecture", "%q is neither %s nor %s; nothing is %s", s.Build.Architecture, ARM64, X86, X86)
	}
	if s.Branch != "" {
		c.text(path+".branch", s.Branch, "the name of a branch", branch.MatchString)
		if !s.MainPipeline && !c.isWrong(path+".mainPipeline") {
			c.say(path+".branch", "is for a main pipeline; say mainPipeline: true")
		}
	}
	if t := time.Duration(s.Build.Timeout); t < 0 || t > LongestBuild || t%time.Second != 0 {
		c.say(path+".build.timeout", "%s is not a number of whole seconds up to %s; 0 is %s", s.Build.Timeout, Duration(LongestBuild), Duration(defaultBuildTimeout))
	}
}

func (c *checker) frontend(path string, s Service) {
	c.file(path+".frontend.output", s.Frontend.Output, "the folder of the build's output, such as dist")
	if s.Frontend.Routing != "" {
		c.text(path+".frontend.routing", s.Frontend.Routing,
			"spa (every route is index.html), static (/about is about/index.html) or html (/about is about.html)",
			func(v string) bool { return slices.Contains([]string{"spa", "static", "html"}, v) })
	}
	if s.Probe != nil {
		c.say(path+".probe", "a frontend has none: its index.html is asked for")
	}
	if len(s.Paths) > 0 {
		c.say(path+".paths", "a frontend has none: it is served at every path that no backend has")
	}
	if len(s.Calls) > 0 {
		c.say(path+".calls", "a frontend has none: it calls the host that it came from")
	}
	if s.PreviewTaskRole != "" || s.PreviewExecutionRole != "" || s.SharesBaselineTaskRole {
		c.say(path, "a frontend has no roles: it runs in a browser")
	}
	if len(s.Consumes) > 0 {
		c.say(path+".consumes", "a frontend has none: it runs in a browser")
	}
}

func (c *checker) backend(path, key string, s Service, owners map[string]string) {
	c.text(path+".ecsService", s.ECSService, "the name of an ECS service of the baseline", ecsName.MatchString)
	c.paths(path+".paths", key, s.Paths, owners)
	c.probe(path+".probe", key, s.Probe)
	c.roles(path, s)
	var backends []string
	for other, service := range c.Services {
		if service.ECSService != "" {
			backends = append(backends, other)
		}
	}
	slices.Sort(backends)
	c.variables(path+".calls", s.Calls, "backend", backends)
	for _, variable := range slices.Sorted(maps.Keys(s.Calls)) {
		if s.Calls[variable] == key {
			c.say(join(path+".calls", variable), "%s would call itself; name another service, or leave it out", key)
		}
	}
	c.variables(path+".consumes", s.Consumes, "queue", slices.Sorted(maps.Keys(c.Queues)))
	for _, variable := range slices.Sorted(maps.Keys(s.Consumes)) {
		if _, twice := s.Calls[variable]; twice {
			c.say(path+".consumes."+variable, "the variable stands among the calls too")
		}
	}
}

// roles checks what the running baseline need not be asked about.
func (c *checker) roles(path string, s Service) {
	if s.PreviewTaskRole != "" {
		c.text(path+".previewTaskRole", s.PreviewTaskRole, mustRole, role.MatchString)
		c.sameAccount(path+".previewTaskRole", s.PreviewTaskRole, false)
	}
	if s.PreviewExecutionRole != "" {
		c.text(path+".previewExecutionRole", s.PreviewExecutionRole, mustRole, role.MatchString)
		c.sameAccount(path+".previewExecutionRole", s.PreviewExecutionRole, false)
	}
	if s.SharesBaselineTaskRole && s.PreviewTaskRole == "" && !c.isWrong(path+".previewTaskRole") {
		c.say(path+".sharesBaselineTaskRole", "previewTaskRole is missing; it names the baseline's role then")
	}
	if in := c.Installation; in != nil && s.PreviewTaskRole != "" && slices.Contains(in.ExecutionRoles, s.PreviewTaskRole) {
		c.say(path+".previewTaskRole", "installation.executionRoles has it too: it would start the baseline, and run what nobody has reviewed")
	}
}

func (c *checker) paths(path, key string, paths []string, owners map[string]string) {
	if c.isWrong(path) {
		return
	}
	if len(paths) < 1 || len(paths) > mostPaths {
		c.say(path, "a backend has 1 to %d paths, not %d", mostPaths, len(paths))
	}
	wildcards := 0
	for i, p := range paths {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.text(at, p, `a path with a name of its own: "/", then up to 127 letters, digits and _-.$/~"'@:+&*?`, validPath)
		wildcards += strings.Count(p, "*") + strings.Count(p, "?")
		if validPath(p) && fits(p, statePath) {
			c.say(at, "%q takes %s, where the edge answers itself", p, statePath)
		}
		if owner, taken := owners[p]; taken && p != "" {
			c.say(at, "%s has the path %q already", owner, p)
			continue
		}
		owners[p] = key
	}
	if wildcards > mostWildcards {
		c.say(path, "has %d wildcards; a listener rule has room for %d", wildcards, mostWildcards)
	}
}

func (c *checker) probe(path, key string, p *Probe) {
	if p == nil || c.isWrong(path) {
		return
	}
	if p.Path != "" && !c.isWrong(path+".path") {
		switch owner := c.owner(p.Path); {
		case !strings.HasPrefix(p.Path, "/") || strings.ContainsAny(p.Path, "*?#% "):
			c.say(path+".path", "%q is not the path of one page, such as /service1/healthz", p.Path)
		case owner == "":
			c.say(path+".path", "%q is not below the paths of %s", p.Path, key)
		case owner != key:
			c.say(path+".path", "%q is a path of %s", p.Path, owner)
		}
	}
	for i, status := range p.Statuses {
		if status < 200 || status > 499 {
			c.say(fmt.Sprintf("%s.statuses[%d]", path, i), "%d is not a status from 200 to 499; from 500 on a service is not ready", status)
		}
	}
}

// owner is the backend that a path leads to: of all patterns that fit, that of the
// longest.
func (c *checker) owner(path string) string {
	owner, longest := "", -1
	for _, key := range slices.Sorted(maps.Keys(c.Services)) {
		for _, p := range c.Services[key].Paths {
			if len(p) > longest && fits(p, path) {
				owner, longest = key, len(p)
			}
		}
	}
	return owner
}

// fits tells whether a pattern matches a path as a listener rule does: * is any
// number of characters, ? is one.
func fits(pattern, path string) bool {
	text := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	matched, err := regexp.MatchString("^"+text+"$", path)
	return err == nil && matched
}

// validPath refuses what a listener rule cannot match, and what would take every
// path of a host.
func validPath(p string) bool {
	return len(p) <= longestPath && pattern.MatchString(p) && strings.Trim(p, "/*?") != ""
}

func (c *checker) variables(path string, variables map[string]string, what string, there []string) {
	for _, variable := range slices.Sorted(maps.Keys(variables)) {
		at := join(path, variable)
		switch {
		case !ValidVariable(variable):
			c.say(at, "%q is no variable: letters, digits and _ are, the first no digit", variable)
		case PlatformVariable(variable):
			c.say(at, "the platform sets %s itself", variable)
		}
		c.known(at, variables[variable], what, there)
	}
}

func (c *checker) queues() {
	keys := slices.Sorted(maps.Keys(c.Queues))
	c.names("queues", keys)
	for _, key := range keys {
		c.text(join("queues", key)+".clone", c.Queues[key].Clone, "the name of an SQS queue of the baseline", queueName.MatchString)
	}
}
