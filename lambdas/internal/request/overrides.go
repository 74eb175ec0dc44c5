package request

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
)

// mostBytes of overrides: they are part of an execution's input, of the record
// and of a task definition (64 KB in all).
const mostBytes = 4096

// ParseOverrides reads the variables for the selected backends. A value that is
// text, or that names a secret, is for every one of them; a map below the name of
// a backend is for that one, and wins. It returns everything that is wrong, and
// never repeats a value.
func ParseOverrides(raw json.RawMessage, services map[string]catalog.Service) (Overrides, fault.List) {
	if !given(raw) {
		return nil, nil
	}
	p := &overridesPass{services: services, names: slices.Sorted(maps.Keys(services)), result: Overrides{}}
	switch entries, err := members(raw); {
	case len(raw) > mostBytes:
		p.refuse(bad("The overrides have %d bytes; at most %d are taken.", len(raw), mostBytes).
			WithNext("Name a secret for long values."))
	case err != nil:
		p.refuse(bad("The overrides are no map: %v.", err).
			WithNext(`Write {"NAME": "value"} or {"service1": {"NAME": "value"}}.`))
	case len(entries) > 0 && len(services) == 0:
		p.refuse(bad("Overrides are for backends, and none is selected.").WithNext("Select the backend too, or leave them out."))
	default:
		p.top(entries)
	}
	if len(p.faults) > 0 || len(p.result) == 0 {
		return nil, p.faults
	}
	return p.result, nil
}

// given tells whether there are overrides at all.
func given(raw json.RawMessage) bool {
	text := strings.TrimSpace(string(raw))
	return text != "" && text != "null" && text != `""`
}

type overridesPass struct {
	services map[string]catalog.Service
	names    []string
	result   Overrides
	faults   fault.List
}

func (p *overridesPass) refuse(f *fault.Fault) {
	p.faults = append(p.faults, f.In(FieldOverrides))
}

// top reads what is for every backend before what is for one, so that the latter wins.
func (p *overridesPass) top(entries []member) {
	p.once(entries, "The overrides name %s twice.")
	var own []member
	for _, e := range entries {
		if p.forService(e) {
			own = append(own, e)
			continue
		}
		if value, ok := p.value(e.key, e.value); ok {
			p.set(e.key, value, p.names)
		}
	}
	for _, e := range own {
		p.service(e)
	}
}

// forService tells a map of one backend's variables from a value: by the name of a
// backend, or by being a map that names no secret.
func (p *overridesPass) forService(e member) bool {
	if !strings.HasPrefix(string(e.value), "{") {
		return false
	}
	if _, selected := p.services[e.key]; selected {
		return true
	}
	inner, err := members(e.value)
	return err == nil && !slices.ContainsFunc(inner, func(m member) bool { return m.key == secretKey })
}

func (p *overridesPass) service(e member) {
	if _, selected := p.services[e.key]; !selected {
		next := "Selected backends are " + strings.Join(p.names, ", ") + "."
		if near := catalog.Nearest(e.key, p.names); near != "" {
			next = "Did you mean " + near + "? " + next
		}
		p.refuse(bad("The overrides are for %s, which is no selected backend.", shown(e.key)).WithNext("%s", next))
		return
	}
	entries, err := members(e.value)
	if err != nil {
		p.refuse(bad("The overrides of %s are no map: %v.", e.key, err).WithNext(`Write {"NAME": "value"}.`))
		return
	}
	p.once(entries, "The overrides of "+e.key+" name %s twice.")
	for _, variable := range entries {
		if value, ok := p.value(variable.key, variable.value); ok {
			p.set(variable.key, value, []string{e.key})
		}
	}
}

// once refuses a key that stands twice: JSON would silently take the last.
func (p *overridesPass) once(entries []member, format string) {
	times := map[string]int{}
	for _, e := range entries {
		if times[e.key]++; times[e.key] == 2 {
			p.refuse(bad(format, shown(e.key)).WithNext("Write it once."))
		}
	}
}

// set gives a variable to backends, unless the platform sets it for one of them.
func (p *overridesPass) set(name string, value Value, backends []string) {
	for _, backend := range backends {
		service := p.services[backend]
		if called, ok := service.Calls[name]; ok {
			p.refuse(bad("%s of %s is set by the platform: it leads to %s.", name, backend, called).
				WithNext("Select %s to have it point to the environment's own.", called))
			continue
		}
		if queue, ok := service.Consumes[name]; ok {
			p.refuse(bad("%s of %s is set by the platform: it is the queue %s.", name, backend, queue).
				WithNext("Provision queues to have one of the environment's own."))
			continue
		}
		if p.result[backend] == nil {
			p.result[backend] = map[string]Value{}
		}
		p.result[backend][name] = value
	}
}
