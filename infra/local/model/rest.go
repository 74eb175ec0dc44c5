package model

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// restRequest gathers a request's members from its path, query, headers and body.
func (s *service) restRequest(op *operation, r *http.Request, body []byte) (any, error) {
	sh := s.Shapes[op.Input.Shape]
	value, err := s.restBody(sh, *op.Input, body)
	if err != nil {
		return nil, err
	}
	labels := pathLabels(op.HTTP.RequestURI, r.URL.EscapedPath())
	query := r.URL.Query()
	for name, member := range sh.Members {
		key := wire(name, member)
		switch member.Location {
		case "uri":
			if text, ok := labels[key]; ok {
				value[key] = s.scalar(member, text)
			}
		case "querystring":
			if texts, ok := query[key]; ok {
				value[key] = s.texts(member, texts)
			}
		default:
			s.header(member, key, r.Header, value)
		}
	}
	return value, nil
}

// restAnswer gathers an answer's members from its headers and body.
func (s *service) restAnswer(op *operation, header http.Header, body []byte) (any, error) {
	sh := s.Shapes[op.Output.Shape]
	value, err := s.restBody(sh, *op.Output, body)
	if err != nil {
		return nil, err
	}
	for name, member := range sh.Members {
		s.header(member, wire(name, member), header, value)
	}
	return value, nil
}

// restBody reads what the body has of a structure.
func (s *service) restBody(sh shape, r ref, body []byte) (map[string]any, error) {
	out := map[string]any{}
	if sh.Payload != "" {
		member := sh.Members[sh.Payload]
		if kind := s.Shapes[member.Shape]; kind.Type != "structure" || kind.Eventstream || len(body) == 0 {
			return out, nil // the caller's own bytes
		}
		value, err := s.bodyOf(member, body)
		if err == nil {
			out[wire(sh.Payload, member)] = value
		}
		return out, err
	}
	inBody := false
	for _, member := range sh.Members {
		inBody = inBody || member.Location == ""
	}
	if !inBody || len(body) == 0 {
		return out, nil
	}
	value, err := s.bodyOf(r, body)
	if members, ok := value.(map[string]any); ok {
		out = members
	}
	return out, err
}

func (s *service) bodyOf(r ref, body []byte) (any, error) {
	if s.protocol() == "rest-json" {
		return decodeJSON(body)
	}
	return s.document(r, body, "")
}

// header adds a member that is in a header, or in all of those with a prefix.
func (s *service) header(member ref, key string, header http.Header, value map[string]any) {
	switch member.Location {
	case "header":
		if texts := header.Values(key); len(texts) > 0 {
			value[key] = s.texts(member, texts)
		}
	case "headers":
		entries := map[string]any{}
		for name, texts := range header {
			if rest, ok := strings.CutPrefix(strings.ToLower(name), strings.ToLower(key)); ok {
				entries[rest] = texts[0]
			}
		}
		if len(entries) > 0 {
			value[key] = entries
		}
	}
}

// texts reads a member that may be there several times.
func (s *service) texts(member ref, texts []string) any {
	sh := s.Shapes[member.Shape]
	if sh.Type != "list" {
		return s.scalar(member, texts[0])
	}
	var out []any
	for _, text := range texts {
		for part := range strings.SplitSeq(text, ",") {
			out = append(out, s.scalar(*sh.Member, strings.TrimSpace(part)))
		}
	}
	return out
}

// pathLabels takes a path apart by a template such as /{Bucket}/{Key+}.
func pathLabels(template, path string) map[string]string {
	template, _, _ = strings.Cut(template, "?")
	names, parts := strings.Split(strings.Trim(template, "/"), "/"), strings.Split(strings.TrimPrefix(path, "/"), "/")
	out := map[string]string{}
	for i, name := range names {
		label, ok := strings.CutPrefix(name, "{")
		if !ok || i >= len(parts) {
			continue
		}
		label = strings.TrimSuffix(label, "}")
		text := parts[i]
		if greedy, ok := strings.CutSuffix(label, "+"); ok {
			label, text = greedy, strings.Join(slices.Clone(parts[i:]), "/")
		}
		if plain, err := url.PathUnescape(text); err == nil && plain != "" {
			out[label] = plain
		}
	}
	return out
}
