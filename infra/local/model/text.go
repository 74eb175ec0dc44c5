package model

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// scalar reads a value that came as text.
func (s *service) scalar(r ref, text string) any {
	switch s.Shapes[r.Shape].Type {
	case "integer", "long", "short", "float", "double":
		return json.Number(text)
	case "boolean":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}

// form is the structure that the query protocol wrote; what belongs to no member
// stays, under its own name.
func (s *service) form(r ref, form url.Values) any {
	left := map[string]string{}
	for name, values := range form {
		if name != "Action" && name != "Version" {
			left[name] = values[0]
		}
	}
	value := s.formValue(r, "", left)
	for name, text := range left {
		value.(map[string]any)[name] = text
	}
	return value
}

// formValue takes what begins with prefix out of what is left; nil is nothing.
func (s *service) formValue(r ref, prefix string, left map[string]string) any {
	switch sh := s.Shapes[r.Shape]; sh.Type {
	case "structure":
		out := map[string]any{}
		for name, member := range sh.Members {
			key := wire(name, member)
			if value := s.formValue(member, join(prefix, key), left); value != nil {
				out[key] = value
			}
		}
		if len(out) == 0 && prefix != "" {
			return nil
		}
		return out
	case "list":
		return s.formList(r, sh, prefix, left)
	case "map":
		return s.formMap(r, sh, prefix, left)
	}
	text, ok := left[prefix]
	if !ok {
		return nil
	}
	delete(left, prefix)
	return s.scalar(r, text)
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

func (s *service) formList(r ref, sh shape, prefix string, left map[string]string) any {
	if text, ok := left[prefix]; ok && text == "" {
		delete(left, prefix)
		return []any{}
	}
	if !s.flat(r) {
		prefix = join(prefix, wire("member", *sh.Member))
	}
	var out []any
	for i := 1; ; i++ {
		value := s.formValue(*sh.Member, join(prefix, strconv.Itoa(i)), left)
		if value == nil {
			break
		}
		out = append(out, value)
	}
	if out == nil {
		return nil
	}
	return out
}

func (s *service) formMap(r ref, sh shape, prefix string, left map[string]string) any {
	if !s.flat(r) {
		prefix = join(prefix, "entry")
	}
	out := map[string]any{}
	for i := 1; ; i++ {
		entry := join(prefix, strconv.Itoa(i))
		key, ok := left[join(entry, wire("key", *sh.Key))]
		if !ok {
			break
		}
		delete(left, join(entry, wire("key", *sh.Key)))
		out[key] = s.formValue(*sh.Value, join(entry, wire("value", *sh.Value)), left)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// element is one of XML.
type element struct {
	name       string
	attributes map[string]string
	text       string
	children   []*element
}

func parseXML(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var stack []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attributes: map[string]string{}}
			for _, a := range t.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				stack[len(stack)-1].children = append(stack[len(stack)-1].children, e)
			}
			stack = append(stack, e)
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		case xml.EndElement:
			if len(stack) == 1 {
				return stack[0], nil
			}
			stack = stack[:len(stack)-1]
		}
	}
}

// document reads the structure in an XML body: the root's, or that of the element
// within which the query protocol puts it.
func (s *service) document(r ref, body []byte, within string) (any, error) {
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	if within == "" {
		return s.xmlValue(r, root), nil
	}
	for _, child := range root.children {
		if child.name == within {
			return s.xmlValue(r, child), nil
		}
	}
	return nil, fmt.Errorf("there is no %s in %s", within, root.name)
}

func (s *service) xmlValue(r ref, e *element) any {
	switch sh := s.Shapes[r.Shape]; sh.Type {
	case "structure":
		return s.xmlStructure(sh, e)
	case "list":
		out := []any{}
		for _, child := range e.children {
			if child.name == wire("member", *sh.Member) {
				out = append(out, s.xmlValue(*sh.Member, child))
			} else {
				out = append(out, map[string]any{child.name: child.text}) // the shape says what is wrong with it
			}
		}
		return out
	case "map":
		out := map[string]any{}
		for _, entry := range e.children {
			s.xmlEntry(sh, entry, out)
		}
		return out
	}
	return s.scalar(r, e.text)
}

func (s *service) xmlEntry(sh shape, entry *element, out map[string]any) {
	var key string
	var value any
	for _, child := range entry.children {
		switch child.name {
		case wire("key", *sh.Key):
			key = child.text
		case wire("value", *sh.Value):
			value = s.xmlValue(*sh.Value, child)
		}
	}
	out[key] = value
}

func (s *service) xmlStructure(sh shape, e *element) any {
	out := map[string]any{}
	taken := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(sh.Members)) {
		r := sh.Members[name]
		key := wire(name, r)
		if r.XMLAttribute {
			_, local, _ := strings.Cut(":"+key, ":")
			if i := strings.LastIndexByte(local, ':'); i >= 0 {
				local = local[i+1:]
			}
			if text, ok := e.attributes[local]; ok {
				out[key] = text
			}
			continue
		}
		inner := s.Shapes[r.Shape]
		for _, child := range e.children {
			switch {
			case inner.Type == "list" && s.flat(r) && child.name == flatName(key, r, inner):
				list, _ := out[key].([]any)
				out[key] = append(list, s.xmlValue(*inner.Member, child))
			case child.name == key:
				out[key] = s.xmlValue(r, child)
			default:
				continue
			}
			taken[child.name] = true
		}
	}
	for _, child := range e.children {
		if !taken[child.name] {
			out[child.name] = child.text
		}
	}
	return out
}

// flatName is what each element of a flattened list is called.
func flatName(key string, r ref, list shape) string {
	if r.LocationName == "" && list.Member.LocationName != "" {
		return list.Member.LocationName
	}
	return key
}
