// Package model holds AWS calls against AWS's own service models, which botocore
// carries: the members that a request and an answer must and may have, their types,
// lengths, patterns, enums and ranges, and the error codes that an operation
// declares. It knows nothing of who calls, or of what a call does.
//
// A pattern is held against the whole value, as AWS's services do. What the models
// leave to the API reference (that the name of a target group does not begin with
// internal-, say) is not known here.
package model

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// folders are botocore's names of the services, by the name that a client signs for.
var folders = map[string]string{
	"cloudfront": "cloudfront", "cloudfront-keyvaluestore": "cloudfront-keyvaluestore", "codebuild": "codebuild",
	"dynamodb": "dynamodb", "dynamodbstreams": "dynamodbstreams", "ecr": "ecr", "ecs": "ecs",
	"elasticloadbalancing": "elbv2", "lambda": "lambda", "logs": "logs", "s3": "s3", "secretsmanager": "secretsmanager",
	"sqs": "sqs", "ssm": "ssm", "states": "stepfunctions", "tagging": "resourcegroupstaggingapi",
}

// Models are the service models of one botocore.
type Models struct {
	dir string

	mu       sync.Mutex
	services map[string]*service
}

// service is one model, as botocore writes it.
type service struct {
	Metadata struct {
		Protocol  string
		Protocols []string
	}
	Operations map[string]operation
	Shapes     map[string]shape
}

type operation struct {
	Name string
	HTTP struct {
		Method     string
		RequestURI string `json:"requestUri"`
	}
	Input, Output *ref
	Errors        []ref
}

// ref is the use of a shape, by a member or an operation.
type ref struct {
	Shape, Location, LocationName, ResultWrapper string
	XMLAttribute, Streaming, Flattened           bool
}

type shape struct {
	Type       string
	Required   []string
	Members    map[string]ref
	Member     *ref // of a list
	Key, Value *ref // of a map
	Min, Max   *float64
	Pattern    string
	Enum       []string
	Payload    string
	// TimestampFormat is empty where the protocol's own holds.
	TimestampFormat string
	Error           struct{ Code string }

	Flattened, Sensitive, Union, Streaming, Eventstream, Document bool
}

// Load finds the models in the virtual environment whose bin folder is given.
func Load(bin string) (*Models, error) {
	found, err := filepath.Glob(filepath.Join(bin, "..", "lib", "python*", "site-packages", "botocore", "data"))
	if err != nil || len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("no botocore beside %s: make venv", bin), err)
	}
	return &Models{dir: found[0], services: map[string]*service{}}, nil
}

// service is the model of who is signed for; nil if it is none of those that are
// judged.
func (m *Models) service(signed string) (*service, error) {
	folder, ok := folders[signed]
	if !ok {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.services[signed]; s != nil {
		return s, nil
	}
	s, err := read(filepath.Join(m.dir, folder))
	if err != nil {
		return nil, fmt.Errorf("read the model of %s: %w", signed, err)
	}
	m.services[signed] = s
	return s, nil
}

// read takes the newest version that a service's folder has.
func read(dir string) (*service, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", "service-2.json.gz"))
	if err != nil || len(found) == 0 {
		return nil, errors.Join(errors.New("there is none in "+dir), err)
	}
	file, err := os.Open(slices.Max(found))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	s := new(service)
	return s, json.NewDecoder(text).Decode(s)
}

// protocol is what the Go SDK speaks: JSON, where a model prefers another that came
// later.
func (s *service) protocol() string {
	if slices.Contains(s.Metadata.Protocols, "json") {
		return "json"
	}
	return s.Metadata.Protocol
}

// wire is what a member is called in a message.
func wire(name string, r ref) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return name
}

// flat tells a list or map whose elements stand among the members around it.
func (s *service) flat(r ref) bool { return r.Flattened || s.Shapes[r.Shape].Flattened }

// Violation is one thing of a message that AWS's model does not allow.
type Violation struct {
	Service, Operation string
	// Answer is true for what AWS's side said.
	Answer bool
	// Member is its path, such as Tags[0].Value; empty is the message as a whole.
	Member string
	// Value is what was sent, shortened, and hidden where the model calls it sensitive;
	// empty where there is none.
	Value string
	// Rule is the constraint in words.
	Rule string
}

// String is one line.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", v.Service, v.Operation)
	if v.Answer {
		b.WriteString(", the answer")
	}
	b.WriteString(": ")
	if v.Member != "" {
		b.WriteString(v.Member + " ")
	}
	if v.Value != "" {
		b.WriteString("is " + v.Value + ": ")
	}
	return b.String() + v.Rule
}
