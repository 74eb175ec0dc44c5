package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// checker holds what was read to what makes sense. It says where by the path of a
// value, never by a line of its own.
type checker struct {
	*Catalog
	*strict
}

// name is that of a service, a queue or a repository: it becomes part of DNS
// labels and of AWS names.
var name = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// say notes a fault at path, on its line or on that of whatever holds it.
func (c *checker) say(path, format string, args ...any) {
	c.fault(c.line(path), path, format, args...)
}

func (c *checker) line(path string) int {
	for ; path != ""; path = parent(path) {
		if line, ok := c.lines[path]; ok {
			return line
		}
	}
	return c.lines[""]
}

// text checks a value that must be there; must says what it has to be.
func (c *checker) text(path, value, must string, valid func(string) bool) {
	switch {
	case c.isWrong(path):
	case value == "":
		c.say(path, "is missing; it is %s", must)
	case !valid(value):
		c.say(path, "%q is not %s", value, must)
	}
}

// names checks the keys of a map.
func (c *checker) names(path string, keys []string) {
	for _, key := range keys {
		if !name.MatchString(key) || strings.Contains(key, twoHyphens) {
			c.say(join(path, key), "a name has up to 32 lower-case letters, digits and single inner hyphens")
		}
	}
}

// known checks that a value names one of those that there are.
func (c *checker) known(path, value, what string, there []string) {
	if c.isWrong(path) || slices.Contains(there, value) {
		return
	}
	if value == "" {
		c.say(path, "is missing; it names a %s", what)
		return
	}
	if len(there) == 0 {
		c.say(path, "there is no %s %q, and no other", what, value)
		return
	}
	c.say(path, "there is no %s %q%s", what, value, suggestion(value, there))
}

// file checks a path below the root of a repository.
func (c *checker) file(path, value, must string) {
	c.text(path, value, must, func(v string) bool {
		return !strings.HasPrefix(v, "/") && !strings.Contains(v, `\`) &&
			!slices.Contains(strings.Split(v, "/"), "..")
	})
}
