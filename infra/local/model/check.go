package model

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// checker holds one message against a shape.
type checker struct {
	service *service
	found   []Violation
}

// at is where in a message the checker is.
type at struct {
	path   string
	hidden bool // the model calls it, or what it is part of, sensitive
}

func (a at) member(name string) at {
	if a.path != "" {
		name = a.path + "." + name
	}
	return at{name, a.hidden}
}

func (c *checker) tell(a at, value any, format string, args ...any) {
	v := Violation{Member: a.path, Rule: fmt.Sprintf(format, args...)}
	switch {
	case value == nil:
	case a.hidden:
		v.Value = "(hidden)"
	default:
		v.Value = short(value)
	}
	c.found = append(c.found, v)
}

// short is a value for a person.
func short(value any) string {
	const enough = 60
	text := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		text = s
	}
	if n := utf8.RuneCountInString(text); n > enough {
		return fmt.Sprintf("%q… (%d characters)", string([]rune(text)[:enough]), n)
	}
	return strconv.Quote(text)
}

// check holds a value of a message against the shape of its member.
func (c *checker) check(r ref, value any, a at) {
	s := c.service.Shapes[r.Shape]
	a.hidden = a.hidden || s.Sensitive
	if value == nil {
		c.tell(a, nil, "is null; AWS leaves out what there is none of")
		return
	}
	switch s.Type {
	case "structure":
		c.structure(s, value, a)
	case "list":
		c.list(s, value, a)
	case "map":
		c.mapping(s, value, a)
	case "string", "character":
		c.text(s, value, a)
	case "blob":
		c.blob(s, value, a)
	case "boolean":
		if _, ok := value.(bool); !ok {
			c.tell(a, value, "is no boolean")
		}
	case "timestamp":
		c.timestamp(c.service.timeForm(r), value, a)
	default:
		c.number(s, value, a)
	}
}

func (c *checker) structure(s shape, value any, a at) {
	if s.Document {
		return
	}
	members, ok := value.(map[string]any)
	if !ok {
		c.tell(a, value, "is no structure")
		return
	}
	known := map[string]ref{}
	for name, r := range s.Members {
		known[wire(name, r)] = r
	}
	for _, name := range s.Required {
		if _, there := members[wire(name, s.Members[name])]; !there {
			c.tell(a.member(name), nil, "is required, and missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		r, ok := known[name]
		if !ok {
			c.tell(a.member(name), nil, "is no member of it")
			continue
		}
		c.check(r, members[name], a.member(name))
	}
	if s.Union && len(members) != 1 {
		c.tell(a, nil, "is one of %s, and has %d of them", strings.Join(slices.Sorted(maps.Keys(known)), ", "), len(members))
	}
}

func (c *checker) list(s shape, value any, a at) {
	elements, ok := value.([]any)
	if !ok {
		c.tell(a, value, "is no list")
		return
	}
	c.size(s, len(elements), a, "elements")
	for i, element := range elements {
		c.check(*s.Member, element, at{fmt.Sprintf("%s[%d]", a.path, i), a.hidden})
	}
}

func (c *checker) mapping(s shape, value any, a at) {
	entries, ok := value.(map[string]any)
	if !ok {
		c.tell(a, value, "is no map")
		return
	}
	c.size(s, len(entries), a, "entries")
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		c.check(*s.Key, key, a.member("(key)"))
		c.check(*s.Value, entries[key], a.member(key))
	}
}

func (c *checker) text(s shape, value any, a at) {
	text, ok := value.(string)
	if !ok {
		c.tell(a, value, "is no string")
		return
	}
	c.length(s, utf8.RuneCountInString(text), a, text, "characters")
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		c.tell(a, value, "is none of %s", some(s.Enum))
	}
	if s.Pattern == "" {
		return
	}
	pattern, err := compile(s.Pattern)
	if err != nil {
		c.tell(a, nil, "has a pattern that cannot be read here: %v", err)
		return
	}
	if fits, err := pattern.MatchString(text); err == nil && !fits {
		c.tell(a, value, "does not match %s", s.Pattern)
	}
}

func some(all []string) string {
	const enough = 6
	if len(all) > enough {
		return strings.Join(all[:enough], ", ") + ", …"
	}
	return strings.Join(all, ", ")
}

func (c *checker) blob(s shape, value any, a at) {
	switch b := value.(type) {
	case []byte:
		c.length(s, len(b), a, nil, "bytes")
	case string:
		data, err := base64.StdEncoding.DecodeString(b)
		if err != nil {
			c.tell(a, nil, "is no base64")
			return
		}
		c.length(s, len(data), a, nil, "bytes")
	default:
		c.tell(a, value, "is no blob")
	}
}

// timeForm is how a time is written: as the shape says, else as its place or the
// protocol has it.
func (s *service) timeForm(r ref) string {
	switch form := s.Shapes[r.Shape].TimestampFormat; {
	case form != "":
		return form
	case r.Location == "header":
		return "rfc822"
	case r.Location == "" && strings.HasSuffix(s.protocol(), "json"):
		return "unixTimestamp"
	}
	return "iso8601"
}

func (c *checker) timestamp(form string, value any, a at) {
	text, ok := value.(string)
	switch form {
	case "unixTimestamp":
		_, ok = value.(json.Number)
	case "rfc822":
		_, err := http.ParseTime(text)
		ok = ok && err == nil
	default:
		_, err := time.Parse(time.RFC3339Nano, text)
		ok = ok && err == nil
	}
	if !ok {
		c.tell(a, value, "is no timestamp of the form %s", form)
	}
}

func (c *checker) number(s shape, value any, a at) {
	n, ok := value.(json.Number)
	f, err := n.Float64()
	if !ok || err != nil {
		c.tell(a, value, "is no number")
		return
	}
	if whole := s.Type == "integer" || s.Type == "long" || s.Type == "short"; whole && f != math.Trunc(f) {
		c.tell(a, value, "is no whole number")
	}
	if s.Min != nil && f < *s.Min {
		c.tell(a, value, "is less than %v", *s.Min)
	}
	if s.Max != nil && f > *s.Max {
		c.tell(a, value, "is more than %v", *s.Max)
	}
}

func (c *checker) size(s shape, n int, a at, of string) { c.length(s, n, a, nil, of) }

func (c *checker) length(s shape, n int, a at, value any, of string) {
	if text, ok := value.(string); ok && text == "" {
		value = nil
	}
	if s.Min != nil && float64(n) < *s.Min {
		c.tell(a, value, "has %d %s, at least %v", n, of, *s.Min)
	}
	if s.Max != nil && float64(n) > *s.Max {
		c.tell(a, value, "has %d %s, at most %v", n, of, *s.Max)
	}
}

var patterns sync.Map // text → *regexp2.Regexp

// rewritten are forms of Java's patterns that other engines say otherwise: a
// character outside of the first plane is two there.
var rewritten = strings.NewReplacer(`\uD800\uDC00-\uDBFF\uDFFF`, "\U00010000-\U0010FFFF", `\_`, `_`, `\p{Print}`, `[\x20-\x7E]`, `\p{ASCII}`, `[\x00-\x7F]`)

func compile(pattern string) (*regexp2.Regexp, error) {
	if known, ok := patterns.Load(pattern); ok {
		return known.(*regexp2.Regexp), nil
	}
	made, err := regexp2.Compile(`\A(?:` + rewritten.Replace(pattern) + `)\z`)
	if err != nil {
		return nil, err
	}
	made.MatchTimeout = time.Second
	patterns.Store(pattern, made)
	return made, nil
}
