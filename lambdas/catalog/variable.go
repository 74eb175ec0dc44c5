package catalog

import (
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ValidVariable tells whether an environment variable may be called so.
func ValidVariable(name string) bool { return variable.MatchString(name) }

// PlatformVariable tells whether the platform or this suite sets the variable, so
// that neither a catalog nor a person may.
func PlatformVariable(name string) bool {
	if name == "PORT" {
		return true
	}
	for _, prefix := range []string{"AWS_", "ECS_", "PREVIEW_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
