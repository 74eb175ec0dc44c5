package edge

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// Purpose is what an invocation of a function is for.
type Purpose struct {
	// Environment is a label, or what was given to Alias for one.
	Environment string
	// Step tells apart what one function does: the operation of its input, a slash
	// command, or a kind of event.
	Step string
}

// Serving tells the edge how to find the payload that the owner of an access key
// works on; nil is none.
func (e *Edge) Serving(payload func(key string) []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serving = payload
}

// Alias makes calls for name calls for the environment: the event of a build names
// a commit alone.
func (e *Edge) Alias(name, environment string) {
	e.struck.mu.Lock()
	defer e.struck.mu.Unlock()
	e.struck.aliases[name] = environment
}

// attribute fills in what the call is for, and which one of its like it is.
func (e *Edge) attribute(c *Call, path string, body []byte) {
	e.mu.RLock()
	serving := e.serving
	e.mu.RUnlock()
	var p Purpose
	switch {
	case c.Caller == StepFunctions && c.Operation == "Invoke":
		p = purposeOf(body)
		p.Step = strings.TrimSpace(invokes(path) + " " + p.Step)
	case serving != nil:
		if payload := serving(c.Key); payload != nil {
			p = purposeOf(payload)
		}
	}
	if p.Environment == "" {
		return
	}
	s := &e.struck
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Environment, c.Step = p.Environment, p.Step
	if label, ok := s.aliases[p.Environment]; ok {
		c.Environment = label
	}
	l := s.life(c.Environment)
	l.calls[c.Like()]++
	c.N = l.calls[c.Like()]
}

// invokes is the name of the function in the path of an Invoke.
func invokes(path string) string {
	_, after, _ := strings.Cut(path, "/functions/")
	name, _, _ := strings.Cut(after, "/")
	if i := strings.LastIndex(name, "function:"); i >= 0 {
		name = name[i+len("function:"):]
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// Like is what calls that are counted together have in common, within one
// environment.
type Like struct{ Caller, Step, Service, Operation string }

// Like is what the call has in common with others.
func (c Call) Like() Like { return Like{c.Caller, c.Step, c.Service, c.Operation} }

// purposeOf reads a payload of any function of the suite.
func purposeOf(payload []byte) Purpose {
	var in struct {
		Op, Scope, Environment, RawPath string
		Request                         struct{ Environment string }
		Detail                          struct {
			More struct {
				Commit string `json:"source-version"`
			} `json:"additional-information"`
		}
		Records []struct {
			Change struct {
				Keys struct {
					Environment struct{ S string }
				}
			} `json:"dynamodb"`
		}
	}
	if json.Unmarshal(payload, &in) != nil {
		return Purpose{}
	}
	switch {
	case in.Request.Environment != "":
		return Purpose{in.Request.Environment, in.Op}
	case in.Environment != "":
		return Purpose{in.Environment, in.Op + in.Scope}
	case in.Detail.More.Commit != "":
		return Purpose{in.Detail.More.Commit, "event"}
	case in.RawPath != "":
		return typed(payload)
	}
	// A batch of the stream may be about many; then it is nobody's.
	var p Purpose
	for _, r := range in.Records {
		label := r.Change.Keys.Environment.S
		if p.Environment != "" && p.Environment != label {
			return Purpose{}
		}
		p = Purpose{label, "stream"}
	}
	return p
}

// typed reads a slash command off the event of a function URL.
func typed(payload []byte) Purpose {
	var in struct {
		Body            string
		IsBase64Encoded bool
	}
	if json.Unmarshal(payload, &in) != nil {
		return Purpose{}
	}
	if in.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(in.Body)
		if err != nil {
			return Purpose{}
		}
		in.Body = string(body)
	}
	form, err := url.ParseQuery(in.Body)
	if err != nil {
		return Purpose{}
	}
	words := strings.Fields(form.Get("text"))
	for i, word := range words {
		if word == "--as" && i+1 < len(words) {
			return Purpose{words[i+1], form.Get("command")}
		}
	}
	if form.Get("command") == "/provisionenv" || len(words) == 0 {
		return Purpose{}
	}
	return Purpose{words[0], form.Get("command")}
}
