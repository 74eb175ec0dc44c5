// Package access tells what the calls of whole lives ask of IAM: for each call the
// actions, the resource, and the keys that a condition may ask for, with the tags of
// the request and those that the resource has at that moment. A policy evaluator can
// then say of each whether a role would have been let through. It knows the shape of
// the calls that the functions make and nothing of their roles. Names, labels and ids
// are those of one sample, so that each run asks the same.
package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"previewenv/infra/local/edge"
)

// Account and Region stand in every ARN, whatever the emulator's are.
const (
	Account = "111122223333"
	region  = "us-east-1"
)

// Request is one question to IAM.
type Request struct {
	Caller   string            `json:"caller"` // the function
	Action   string            `json:"action"`
	Resource string            `json:"resource"` // an ARN, or *
	Context  map[string]string `json:"context,omitempty"`
}

// Places are what a life names otherwise than the sample.
type Places struct {
	Site, Artifacts, Sources string // buckets
	LoadBalancer             string // of the listener's ARN what is behind listener/: app/name/id/id
	Prefix                   string
}

var errUnknown = errors.New("what IAM asks of it is not known; say it in infra/local/access")

// Witness keeps what was asked.
type Witness struct {
	places Places
	tags   tagReader
	names  func(string) bool // of the callers that count

	mu     sync.Mutex
	seen   map[string]Request
	looked map[string]int // how often tags were looked up, by caller and operation
	faults []string
}

// enough is how many calls of one kind have their tags looked up: they are alike.
const enough = 8

// New is a witness of what callers ask. Tags are read by clients of cfg, whose own
// calls are not the callers'.
func New(cfg aws.Config, places Places, callers func(string) bool) *Witness {
	return &Witness{places: places, tags: newTagReader(cfg), names: callers, seen: map[string]Request{}, looked: map[string]int{}}
}

// Overhear is told of a call before it is served.
func (w *Witness) Overhear(call edge.Call, r *http.Request, body []byte) {
	if call.Operation == "" || !w.names(call.Caller) {
		return
	}
	asked, err := w.read(call, r, body)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.faults = append(w.faults, fmt.Sprintf("%s %s:%s: %v", call.Caller, call.Service, call.Operation, err))
	}
	for _, one := range asked {
		one.Caller = call.Caller
		data, _ := json.Marshal(one) // strings alone
		w.seen[string(data)] = one
	}
}

// Requests are all that was asked, in order, each once, and what could not be read.
func (w *Witness) Requests() (lines, faults []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.seen)), slices.Compact(slices.Sorted(slices.Values(w.faults)))
}

// mayLook tells whether the tags of another call like this are wanted.
func (w *Witness) mayLook(call edge.Call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	like := call.Caller + " " + call.Operation
	w.looked[like]++
	return w.looked[like] <= enough
}

// read is what one call asks for.
func (w *Witness) read(call edge.Call, r *http.Request, body []byte) ([]Request, error) {
	switch call.Service {
	case "s3":
		return w.s3(call, r)
	case "cloudfront":
		return one("cloudfront:"+call.Operation, "arn:aws:cloudfront::"+Account+":distribution/DISTRIBUTION"), nil
	case "cloudfront-keyvaluestore":
		return one("cloudfront-keyvaluestore:"+call.Operation, "arn:aws:cloudfront::"+Account+":key-value-store/store"), nil
	case "elasticloadbalancing":
		return w.balancer(call, body)
	}
	in := input{}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("read its input: %w", err)
	}
	switch call.Service {
	case "ecs":
		return w.ecs(call, in)
	case "sqs":
		return w.sqs(call, in)
	case "dynamodb":
		return w.table(call, in), nil
	case "states":
		return w.states(call), nil
	}
	return w.simple(call, in)
}

// onThere is a request on a resource that is there. What a retry asks for after the
// first answer was lost is not: what IAM says of that nobody documents.
func onThere(action, resource string, tags map[string]string) []Request {
	if tags == nil {
		return nil
	}
	return []Request{{Action: action, Resource: resource, Context: tagged("aws:ResourceTag", tags)}}
}

func one(action, resource string) []Request { return []Request{{Action: action, Resource: resource}} }

func arn(service, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + Account + ":" + resource
}

// input is the JSON input of a call.
type input map[string]any

func (in input) text(key string) string {
	s, _ := in[key].(string)
	return s
}

func (in input) list(key string) []string {
	var words []string
	all, _ := in[key].([]any)
	for _, v := range all {
		if s, ok := v.(string); ok {
			words = append(words, s)
		}
	}
	return words
}

// name is that of a resource of an environment, in the sample; any other name is
// that of the baseline, and stays.
func (w *Witness) name(s string) string {
	s = s[strings.LastIndex(s, "/")+1:]
	if rest, ok := strings.CutPrefix(s, w.places.Prefix+"-"); ok {
		return "pv-" + suffixOf(rest)
	}
	return s
}

// suffixOf keeps of a name only what tells a FIFO queue.
func suffixOf(name string) string {
	if strings.HasSuffix(name, ".fifo") {
		return "name.fifo"
	}
	return "name"
}

// tagged are tags as condition keys: those that say whose a thing is.
func tagged(key string, tags map[string]string) map[string]string {
	context := map[string]string{}
	if by, ok := tags["ManagedBy"]; ok {
		context[key+"/ManagedBy"] = by
	}
	if _, ok := tags["Environment"]; ok {
		context[key+"/Environment"] = "label"
	}
	return context
}

func with(context map[string]string, pairs ...string) map[string]string {
	context = maps.Clone(context)
	for i := 0; i+1 < len(pairs); i += 2 {
		context[pairs[i]] = pairs[i+1]
	}
	return context
}
