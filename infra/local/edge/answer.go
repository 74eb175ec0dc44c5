package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Refusal is an error answer of AWS.
type Refusal struct {
	Status        int
	Code, Message string
}

// codes are the names that a service has for the same error; others than these use
// those of AWS's common errors
// (docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html).
var codes = map[string]map[Kind]Refusal{
	"s3": {
		Throttled: {503, "SlowDown", "Please reduce your request rate."}, InternalError: {500, "InternalError", "We encountered an internal error. Please try again."},
		AccessDenied: {403, "AccessDenied", "Access Denied"},
	},
	"elasticloadbalancing": {AccessDenied: {403, "AccessDenied", "not authorized to perform this action"}},
	"cloudfront": {
		Throttled: {400, "Throttling", "Rate exceeded"}, AccessDenied: {403, "AccessDenied", "Access denied."},
	},
	"cloudfront-keyvaluestore": {
		Throttled: {429, "ThrottlingException", "Rate exceeded"}, InternalError: {500, "InternalServerException", "internal error"},
		AccessDenied: {403, "AccessDeniedException", "Access denied."},
	},
	"lambda": {
		Throttled: {429, "TooManyRequestsException", "Rate Exceeded."}, InternalError: {500, "ServiceException", "internal error"},
		AccessDenied: {403, "AccessDeniedException", "not authorized to perform lambda:InvokeFunction"},
	},
	"sqs":      {Throttled: {400, "RequestThrottled", "Request was throttled"}},
	"dynamodb": {InternalError: {500, "InternalServerError", "The request processing has failed"}},
	"ecs":      {InternalError: {500, "ServerException", "Service Unavailable. Please try again later."}},
	"ecr":      {InternalError: {500, "ServerException", "Service Unavailable. Please try again later."}},
	"ssm":      {InternalError: {500, "InternalServerError", "An error occurred on the server side."}},
}

// answerOf is how a service says a fault.
func answerOf(kind Kind, service string) *Refusal {
	if r, ok := codes[service][kind]; ok {
		return &r
	}
	switch kind {
	case Throttled:
		return &Refusal{400, "ThrottlingException", "Rate exceeded"}
	case AccessDenied:
		return &Refusal{400, "AccessDeniedException", "User is not authorized to perform this action"}
	default:
		return &Refusal{500, "InternalFailure", "The request processing has failed because of an unknown error."}
	}
}

// write answers in the protocol of a service: query XML, REST XML, REST JSON or
// JSON 1.0 and 1.1.
func (r *Refusal) write(w http.ResponseWriter, service string) {
	const id = "00000000-0000-4000-8000-000000000000"
	var body string
	kind := "text/xml"
	switch service {
	case "elasticloadbalancing", "cloudfront":
		body = fmt.Sprintf("<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>", r.Code, r.Message, id)
	case "s3":
		kind = "application/xml"
		body = fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>", r.Code, r.Message, id)
	case "lambda", "cloudfront-keyvaluestore":
		kind = "application/json"
		w.Header().Set("X-Amzn-ErrorType", r.Code)
		body = text(map[string]string{"Type": "User", "Message": r.Message, "message": r.Message})
	default:
		kind = "application/x-amz-json-1.1"
		body = text(map[string]string{"__type": r.Code, "message": r.Message})
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(r.Status)
	_, _ = w.Write([]byte(body)) // the caller may be gone
}

func text(v map[string]string) string {
	data, _ := json.Marshal(v) // strings alone
	return string(data)
}
