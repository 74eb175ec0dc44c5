package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"previewenv/lambdas/internal/fault"
)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const nextVariable = "Write KEY=value for every backend, or service1.KEY=value for one."

// overrides gathers --env flags. Its faults never hold a value, which may be a
// secret that somebody typed by mistake.
type overrides struct {
	flat      map[string]string
	byService map[string]map[string]string
}

func newOverrides() *overrides {
	return &overrides{flat: map[string]string{}, byService: map[string]map[string]string{}}
}

// add reads KEY=value or service.KEY=value.
func (o *overrides) add(text string) *fault.Fault {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return bad(FieldOverrides, "A value of --env has no =.").WithNext(nextVariable)
	}
	service, key, ok := strings.Cut(name, ".")
	if !ok {
		service, key = "", name
	}
	if !variable.MatchString(key) || (ok && !serviceName.MatchString(service)) {
		return bad(FieldOverrides, "%q cannot be the name of a variable.", shown(name)).WithNext(nextVariable)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return bad(FieldOverrides, "The value of %s holds a control character.", name).WithNext("Leave it out.")
	}
	into := o.flat
	if ok {
		if o.byService[service] == nil {
			o.byService[service] = map[string]string{}
		}
		into = o.byService[service]
	}
	if before, twice := into[key]; twice && before != value {
		return bad(FieldOverrides, "%s was given two values.", name).WithNext("Give it one.")
	}
	into[key] = value
	return nil
}

// check tells of the variables that are for a service which was not named.
func (o *overrides) check(services []string) fault.List {
	var faults fault.List
	for _, service := range sortedKeys(o.byService) {
		if len(services) == 0 || slices.Contains(services, service) {
			continue
		}
		f := bad(FieldOverrides, "A variable is for %s, which is not among the services.", service)
		if near := Nearest(service, services); near != "" {
			f = f.WithNext("Did you mean %s?", near)
		} else {
			f = f.WithNext("Add %s to the services, or leave the variable out.", service)
		}
		faults = append(faults, f)
	}
	return faults
}

// json is one object: a variable for all at its top, those of a service below
// the service's name. It is nil when there are none.
func (o *overrides) json() json.RawMessage {
	all := make(map[string]any, len(o.flat)+len(o.byService))
	for service, vars := range o.byService {
		all[service] = vars
	}
	for key, value := range o.flat {
		all[key] = value
	}
	if len(all) == 0 {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(all); err != nil {
		return nil // cannot be: strings in maps always encode
	}
	return bytes.TrimSpace(b.Bytes())
}

// straight undoes what phones and Macs do to quotes, which JSON has not.
var straight = strings.NewReplacer("“", `"`, "”", `"`, "\u00a0", " ")

// parseOverrides checks that what was typed into the form is one JSON object. What
// the object may hold is the catalog's matter, not known here.
func parseOverrides(text string) (json.RawMessage, *fault.Fault) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var object map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &object)
	if err != nil {
		if plain := straight.Replace(text); json.Unmarshal([]byte(plain), &object) == nil {
			text, err = plain, nil
		}
	}
	if err != nil {
		f := bad(FieldOverrides, "This is not one JSON object.")
		if at := new(json.SyntaxError); errors.As(err, &at) {
			f.What = fmt.Sprintf("This is not JSON: see line %d.", 1+strings.Count(text[:min(int(at.Offset), len(text))], "\n"))
		}
		return nil, f.WithNext(`For example {"LOG_LEVEL": "debug"}, or {"service1": {"LOG_LEVEL": "debug"}}.`)
	}
	if len(object) == 0 {
		return nil, nil
	}
	return json.RawMessage(text), nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
