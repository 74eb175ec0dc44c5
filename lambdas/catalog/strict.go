package catalog

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// strict reads a YAML tree into Go values and notes everything that does not fit
// instead of stopping at it. It remembers the line of every path that it saw, so
// that later checks can say where.
type strict struct {
	faults Faults
	lines  map[string]int
	// wrong are the paths whose value was of another type, and so has no meaning.
	wrong map[string]bool
}

func newStrict() *strict {
	return &strict{lines: map[string]int{}, wrong: map[string]bool{}}
}

func (s *strict) fault(line int, path, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if path != "" {
		what = path + ": " + what
	}
	s.faults = append(s.faults, Fault{Line: line, What: what})
}

// mistyped notes a value that is not of the type it must be.
func (s *strict) mistyped(n *yaml.Node, path, must string) {
	s.wrong[path] = true
	s.fault(n.Line, path, "must be %s, not %s", must, describe(n))
}

// isWrong tells whether the value at path, or one that holds it, was mistyped: it
// has been said, and nothing more is to be said of it.
func (s *strict) isWrong(path string) bool {
	for ; path != ""; path = parent(path) {
		if s.wrong[path] {
			return true
		}
	}
	return s.wrong[""]
}

// read puts n into v. A null is the same as a key that is not there.
func (s *strict) read(n *yaml.Node, v reflect.Value, path string) {
	s.lines[path] = n.Line
	if n.Kind == yaml.AliasNode {
		s.mistyped(n, path, "written out")
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return
	}
	if v.Type() == reflect.TypeFor[Duration]() {
		s.readDuration(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		s.read(n, v.Elem(), path)
	case reflect.Struct:
		s.readStruct(n, v, path)
	case reflect.Map:
		s.readMap(n, v, path)
	case reflect.Slice, reflect.Array:
		s.readList(n, v, path)
	case reflect.Int:
		s.readInt(n, v, path)
	case reflect.Bool:
		s.readBool(n, v, path)
	default:
		s.readString(n, v, path)
	}
}

func (s *strict) readStruct(n *yaml.Node, v reflect.Value, path string) {
	fields, known := fieldsOf(v)
	s.eachKey(n, path, func(key, value *yaml.Node) {
		field, ok := fields[key.Value]
		if !ok {
			s.fault(key.Line, path, "unknown key %q%s", key.Value, suggestion(key.Value, known))
			return
		}
		s.read(value, field, join(path, key.Value))
	})
}

func (s *strict) readMap(n *yaml.Node, v reflect.Value, path string) {
	m := reflect.MakeMap(v.Type())
	s.eachKey(n, path, func(key, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		s.read(value, element, join(path, key.Value))
		s.lines[join(path, key.Value)] = key.Line
		m.SetMapIndex(reflect.ValueOf(key.Value), element)
	})
	v.Set(m)
}

// eachKey visits the keys of a mapping, each once.
func (s *strict) eachKey(n *yaml.Node, path string, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		s.mistyped(n, path, "a map")
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			s.fault(key.Line, path, "a key must be a name, not %s", describe(key))
			continue
		}
		if line, twice := first[key.Value]; twice {
			s.fault(key.Line, path, "the key %q stands on line %d already", key.Value, line)
			continue
		}
		first[key.Value] = key.Line
		visit(key, value)
	}
}

func (s *strict) readList(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		s.mistyped(n, path, "a list")
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	}
	if len(n.Content) != v.Len() {
		s.mistyped(n, path, fmt.Sprintf("a list of %d", v.Len()))
		return
	}
	for i, element := range n.Content {
		s.read(element, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (s *strict) readInt(n *yaml.Node, v reflect.Value, path string) {
	number, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		s.mistyped(n, path, "a whole number")
		return
	}
	v.SetInt(int64(number))
}

func (s *strict) readBool(n *yaml.Node, v reflect.Value, path string) {
	truth, err := strconv.ParseBool(n.Value)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || err != nil {
		s.mistyped(n, path, "true or false")
		return
	}
	v.SetBool(truth)
}

func (s *strict) readString(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		s.mistyped(n, path, "text")
		return
	}
	v.SetString(n.Value)
}

func (s *strict) readDuration(n *yaml.Node, v reflect.Value, path string) {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		s.mistyped(n, path, "a duration such as 90s, 60m or 24h")
		return
	}
	v.SetInt(int64(d))
}

// fieldsOf are the fields of a struct by their YAML names, and those names in order.
func fieldsOf(v reflect.Value) (map[string]reflect.Value, []string) {
	fields := make(map[string]reflect.Value, v.NumField())
	names := make([]string, v.NumField())
	for i := range v.NumField() {
		names[i] = v.Type().Field(i).Tag.Get("yaml")
		fields[names[i]] = v.Field(i)
	}
	return fields, names
}

// describe says what a node is, in the words of somebody who wrote it.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return fmt.Sprintf("a list of %d", len(n.Content))
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the truth value " + n.Value
	default:
		return strconv.Quote(n.Value)
	}
}

func suggestion(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; known are " + strings.Join(known, ", ")
}

// parent is the path of what holds the value at path, "" for the file.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
