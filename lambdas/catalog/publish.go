package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sizes of an SSM parameter in bytes: what is free, and what the advanced tier
// holds (docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html).
const (
	StandardSize = 4096
	AdvancedSize = 8192
)

// Settings is the part of the catalog that every execution reads.
func (c *Catalog) Settings() *Settings {
	s := &Settings{
		BaseDomain: c.BaseDomain, Label: c.Label, Baseline: c.Baseline, Lifetime: c.Lifetime,
		Limits: c.Limits, Reaper: c.Reaper, Repositories: c.Repositories, Queues: c.Queues,
	}
	if c.Installation != nil {
		s.ExecutionRoles = c.Installation.ExecutionRoles
	}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		service := c.Services[name]
		s.Services = append(s.Services, Entry{
			Name: name, Frontend: service.Frontend != nil, Repository: service.Repository,
			Calls: targets(service.Calls), Consumes: targets(service.Consumes),
		})
	}
	return s
}

// targets are the values of a map, sorted, each once.
func targets(variables map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(variables)))
}

// Parameters are the SSM parameters that publish the catalog, name → value:
// <prefix>/settings and <prefix>/services/<name>. A service fits a standard
// parameter of 4 KB; the settings may need the advanced tier, 8 KB. A larger value
// is an error.
func (c *Catalog) Parameters(prefix string) (map[string]string, error) {
	parameters := make(map[string]string, len(c.Services)+1)
	var faults []error
	add := func(name string, value any, limit int) {
		text, err := encode(value)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("encode parameter %s: %w", name, err))
		case len(text) > limit:
			faults = append(faults, fmt.Errorf("publish parameter %s: %d bytes are more than %d", name, len(text), limit))
		}
		parameters[name] = text
	}
	add(settingsName(prefix), c.Settings(), AdvancedSize)
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		add(serviceName(prefix, name), c.Services[name], StandardSize)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return parameters, nil
}

// encode writes JSON without "{{", which SSM takes for a reference to another
// parameter and refuses (PutParameter, Value). JSON has it only within text, where
// it may be escaped.
func encode(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(string(data), "{{", `\u007b\u007b`), nil
}

func settingsName(prefix string) string      { return prefix + "/settings" }
func serviceName(prefix, name string) string { return prefix + "/services/" + name }
