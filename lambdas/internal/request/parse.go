package request

import (
	"encoding/json"
	"reflect"
	"strings"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// example is the least that provisions.
const example = `{"commitId": "abcd1234ef567890", "servicesToProvision": ["service1"]}`

// Parse reads the input of an execution as somebody typed it. What is no field, is of
// the wrong type, or is no action is refused, all of it at once, with the nearest name:
// a field that is left out silently would be a wish that is not granted.
//
// An input that names a revision is the door's. The door may be of the next release, so
// that a field that is not known is left out there.
func Parse(raw json.RawMessage) (statemachine.Request, error) {
	var r statemachine.Request
	entries, err := members(raw)
	if err != nil {
		return r, fault.List{bad("The input is no request: %v.", err).WithNext("Write %s.", example)}
	}
	var faults fault.List
	var unknown []string
	fields, names := fieldsOf(&r)
	for _, e := range entries {
		field, ok := fields[e.key]
		if !ok {
			unknown = append(unknown, e.key)
			continue
		}
		if err := json.Unmarshal(e.value, field.Addr().Interface()); err != nil {
			faults = append(faults, bad("%s must be %s.", e.key, kindOf(field.Type())).In(e.key).WithNext("Change it and start again."))
		}
	}
	if r.Revision == 0 {
		for _, name := range unknown {
			faults = append(faults, bad("A request has no field %s.", shown(name)).WithNext("%s", nearest(name, names)))
		}
	}
	if f := action(r); f != nil {
		faults = append(faults, f)
	}
	return r, faults.Err()
}

// action refuses what is none, and the removal of nothing: with an environment it goes
// another way.
func action(r statemachine.Request) *fault.Fault {
	const field = "action"
	actions := []string{statemachine.ActionProvision, statemachine.ActionCleanUp}
	switch r.Action {
	case "", statemachine.ActionProvision:
		return nil
	case statemachine.ActionCleanUp:
		if r.Environment == "" {
			return bad("No environment is named that is to be removed.").In(FieldEnvironment).
				WithNext(`Write {"action": "cleanup", "environment": "pr1"}.`)
		}
		return nil
	}
	return bad("There is no action %s.", shown(r.Action)).In(field).WithNext("%s", nearest(r.Action, actions))
}

func nearest(name string, known []string) string {
	all := "There are " + strings.Join(known, ", ") + "."
	if near := catalog.Nearest(name, known); near != "" {
		return "Did you mean " + near + "? " + all
	}
	return all
}

// fieldsOf are the fields of a request by their names, and these in order.
func fieldsOf(r *statemachine.Request) (map[string]reflect.Value, []string) {
	v := reflect.ValueOf(r).Elem()
	fields := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = v.Field(i)
		names = append(names, name)
	}
	return fields, names
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list of names"
	}
	return "text"
}
