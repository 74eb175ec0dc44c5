package model

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Request holds a request against the model of its operation. The body is nil where
// it is a stream that is not kept.
func (m *Models) Request(signed, name string, r *http.Request, body []byte) []Violation {
	s, op, found := m.operation(signed, name)
	if op == nil {
		return found
	}
	if op.Input == nil {
		return nil
	}
	var value any
	var err error
	switch protocol := s.protocol(); protocol {
	case "query":
		var form url.Values
		if form, err = url.ParseQuery(string(body)); err == nil {
			value = s.form(*op.Input, form)
		}
	case "rest-xml", "rest-json":
		value, err = s.restRequest(op, r, body)
	default:
		value, err = decode(r.Header, body)
	}
	return s.judge(signed, name, false, *op.Input, value, err)
}

// Answer holds an answer against the model of its operation.
func (m *Models) Answer(signed, name string, status int, header http.Header, body []byte) []Violation {
	s, op, found := m.operation(signed, name)
	if op == nil {
		return found
	}
	if status/100 > 3 {
		return s.refused(signed, name, op, status, header, body)
	}
	if op.Output == nil {
		return nil
	}
	var value any
	var err error
	switch protocol := s.protocol(); protocol {
	case "query":
		value, err = s.document(*op.Output, body, op.Output.ResultWrapper)
	case "rest-xml", "rest-json":
		value, err = s.restAnswer(op, header, body)
	default:
		value, err = decode(header, body)
	}
	return s.judge(signed, name, true, *op.Output, value, err)
}

func (m *Models) operation(signed, name string) (*service, *operation, []Violation) {
	s, err := m.service(signed)
	if err != nil {
		return nil, nil, []Violation{{Service: signed, Operation: name, Rule: err.Error()}}
	}
	if s == nil {
		return nil, nil, nil
	}
	op, ok := s.Operations[name]
	if !ok {
		return nil, nil, []Violation{{Service: signed, Operation: name, Rule: "is no operation of this service"}}
	}
	return s, &op, nil
}

func (s *service) judge(signed, name string, answer bool, r ref, value any, err error) []Violation {
	c := checker{service: s}
	if err != nil {
		c.tell(at{}, nil, "cannot be read: %v", err)
	} else {
		c.check(r, value, at{})
	}
	for i := range c.found {
		c.found[i].Service, c.found[i].Operation, c.found[i].Answer = signed, name, answer
	}
	return c.found
}

// decode reads JSON, or CBOR where the client prefers it.
func decode(header http.Header, body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil // of an operation without output
	}
	if strings.HasPrefix(header.Get("Content-Type"), "application/cbor") {
		value, err := cbor.Decode(body)
		if err != nil {
			return nil, err
		}
		return plain(value), nil
	}
	return decodeJSON(body)
}

func decodeJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	return value, d.Decode(&value)
}

// plain is a value of CBOR as JSON has it.
func plain(value cbor.Value) any {
	switch v := value.(type) {
	case cbor.Map:
		out := map[string]any{}
		for name, member := range v {
			out[name] = plain(member)
		}
		return out
	case cbor.List:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = plain(element)
		}
		return out
	case cbor.String:
		return string(v)
	case cbor.Slice:
		return []byte(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Uint, cbor.NegInt, cbor.Float32, cbor.Float64:
		return json.Number(fmt.Sprint(v))
	case *cbor.Tag: // of a timestamp
		return plain(v.Value)
	}
	return nil
}

// common are the codes that any operation may answer with
// (docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html, and DynamoDB's
// and S3's lists of their own: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html,
// docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
var common = []string{
	"AccessDenied", "AccessDeniedException", "ExpiredTokenException", "IncompleteSignature", "InternalFailure", "InternalServerError",
	"MalformedHttpRequestException", "NotAuthorized", "OptInRequired", "RequestExpired", "RequestTimeoutException", "ServiceUnavailable",
	"Throttling", "ThrottlingException", "UnrecognizedClientException", "UnknownOperationException", "ValidationError",
	"ValidationException", "SerializationException",
}

// ofS3 are codes that any operation of S3 may answer with; its model names few.
var ofS3 = []string{"InternalError", "NoSuchBucket", "NoSuchKey", "NoSuchUpload", "NoSuchTagSet", "NotFound", "PreconditionFailed", "SlowDown", "InvalidRange", "404", "412"}

// refused holds an error against those that the operation declares.
func (s *service) refused(signed, name string, op *operation, status int, header http.Header, body []byte) []Violation {
	code := codeOf(header, body)
	if signed == "s3" && (code == "" || slices.Contains(ofS3, code)) {
		return nil // HEAD has no body
	}
	known := slices.Clone(common)
	for _, r := range op.Errors {
		known = append(known, r.Shape)
		if declared := s.Shapes[r.Shape].Error.Code; declared != "" {
			known = append(known, declared)
		}
	}
	if slices.Contains(known, code) {
		return nil
	}
	return []Violation{{Service: signed, Operation: name, Answer: true, Value: short(code), Rule: fmt.Sprintf("is no error (status %d) of this operation", status)}}
}

// codeOf is the code of an error, in whatever form it came.
func codeOf(header http.Header, body []byte) string {
	code := header.Get("X-Amzn-Errortype")
	if code == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		var in struct {
			Code  string `xml:"Code"`
			Error struct {
				Code string `xml:"Code"`
			} `xml:"Error"`
			Errors struct {
				Error struct {
					Code string `xml:"Code"`
				} `xml:"Error"`
			} `xml:"Errors"`
		}
		_ = xml.Unmarshal(body, &in) // what cannot be read has no code
		return in.Code + in.Error.Code + in.Errors.Error.Code
	}
	if code == "" {
		value, _ := decode(header, body)
		members, _ := value.(map[string]any)
		code, _ = members["__type"].(string)
	}
	code, _, _ = strings.Cut(code, ":")
	return code[strings.LastIndexByte(code, '#')+1:]
}
