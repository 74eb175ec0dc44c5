package edge

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// interpreter is the access key that moto's Step Functions interpreter signs with.
const interpreter = "ak"

// StepFunctions is the Caller of what the interpreter asks.
const StepFunctions = "StepFunctions"

// identify tells what r asks for, without its body.
func identify(r *http.Request) Call {
	var c Call
	c.Key, c.Service = credential(r)
	c.Caller, _, _ = strings.Cut(c.Key, ".")
	if c.Caller == interpreter {
		c.Caller = StepFunctions
	}
	target := r.Header.Get("X-Amz-Target")
	if c.Service == "" {
		c.Service = unsignedService(r, target)
	}
	if strings.HasPrefix(target, "DynamoDBStreams") {
		c.Service = "dynamodbstreams"
	}
	if dot := strings.LastIndexByte(target, '.'); dot >= 0 {
		c.Operation = target[dot+1:]
		return c
	}
	if action := r.URL.Query().Get("Action"); action != "" && c.Service != "s3" {
		c.Operation = action
		return c
	}
	c.Operation = restOperation(c.Service, r)
	return c
}

// credential reads the access key and the service of the credential scope, from
// the header or from a presigned URL. SigV4A's scope has no Region.
func credential(r *http.Request) (key, service string) {
	scope := r.URL.Query().Get("X-Amz-Credential")
	if _, after, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope, _, _ = strings.Cut(after, ",")
	}
	parts := strings.Split(strings.TrimSpace(scope), "/")
	if n := len(parts); n >= 4 && parts[n-1] == "aws4_request" {
		return parts[0], strings.ToLower(parts[n-2])
	}
	return "", ""
}

// unsignedService guesses the service of a request without a signature.
func unsignedService(r *http.Request, target string) string {
	prefix, _, _ := strings.Cut(target, ".")
	prefix, _, _ = strings.Cut(prefix, "_")
	if service, ok := map[string]string{
		"DynamoDB": "dynamodb", "DynamoDBStreams": "dynamodbstreams", "AWSStepFunctions": "states",
		"AmazonSQS": "sqs", "AmazonSSM": "ssm", "CodeBuild": "codebuild", "Logs": "logs",
		"AmazonEC2ContainerServiceV20141113": "ecs", "secretsmanager": "secretsmanager",
	}[prefix]; ok {
		return service
	}
	for prefix, service := range map[string]string{
		"/moto-api":         "moto-api",
		"/2015-03-31/":      "lambda",
		"/2020-05-31/":      "cloudfront",
		"/key-value-stores": "cloudfront-keyvaluestore",
	} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return service
		}
	}
	return "s3"
}

// formAction is the operation of the query protocol, which is in the body.
func formAction(r *http.Request, body []byte) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return ""
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}
