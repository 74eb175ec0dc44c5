package edge

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestARequestTellsItsServiceAndOperation(t *testing.T) {
	signed := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=plan/20261120/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
	}
	for name, c := range map[string]struct {
		request, authorization, target string
		want                           Call
	}{
		"JSON protocols name it in the target":           {"POST /", signed("states"), "AWSStepFunctions.StartExecution", Call{Service: "states", Operation: "StartExecution", Caller: "plan"}},
		"streams are signed as DynamoDB":                 {"POST /", signed("dynamodb"), "DynamoDBStreams_20120810.GetRecords", Call{Service: "dynamodbstreams", Operation: "GetRecords", Caller: "plan"}},
		"SigV4A has no Region in its scope":              {"GET /key-value-stores/arn%3Aaws%3A%2Fx/keys/a", "AWS4-ECDSA-P256-SHA256 Credential=route/20261120/cloudfront-keyvaluestore/aws4_request, Signature=0", "", Call{Service: "cloudfront-keyvaluestore", Operation: "GetKey", Caller: "route"}},
		"a presigned URL signs in the query":             {"GET /bucket/key?X-Amz-Credential=build%2F20261120%2Fus-east-1%2Fs3%2Faws4_request", "", "", Call{Service: "s3", Operation: "GetObject", Caller: "build"}},
		"a query call may name it in the URL":            {"GET /?Action=DescribeRules&Version=1", signed("elasticloadbalancing"), "", Call{Service: "elasticloadbalancing", Operation: "DescribeRules", Caller: "plan"}},
		"moto's interpreter is Step Functions":           {"POST /2015-03-31/functions/arn%3Aaws%3Alambda/invocations", strings.Replace(signed("lambda"), "plan", "ak", 1), "", Call{Service: "lambda", Operation: "Invoke", Caller: "StepFunctions"}},
		"an unsigned target names the service":           {"POST /", "", "AmazonSQS.SendMessage", Call{Service: "sqs", Operation: "SendMessage"}},
		"an unsigned path names the service":             {"POST /2015-03-31/functions/plan/invocations", "", "", Call{Service: "lambda", Operation: "Invoke"}},
		"moto's own API is no AWS service":               {"POST /moto-api/config", "", "", Call{Service: "moto-api"}},
		"what is left is S3":                             {"PUT /bucket", "", "", Call{Service: "s3", Operation: "CreateBucket"}},
		"S3 lists by version 2":                          {"GET /bucket?list-type=2&prefix=a", signed("s3"), "", Call{Service: "s3", Operation: "ListObjectsV2", Caller: "plan"}},
		"S3 deletes many":                                {"POST /bucket?delete", signed("s3"), "", Call{Service: "s3", Operation: "DeleteObjects", Caller: "plan"}},
		"S3 uploads in parts":                            {"PUT /bucket/a/b?partNumber=1&uploadId=x", signed("s3"), "", Call{Service: "s3", Operation: "UploadPart", Caller: "plan"}},
		"an invalidation is CloudFront's":                {"POST /2020-05-31/distribution/E1/invalidation", signed("cloudfront"), "", Call{Service: "cloudfront", Operation: "CreateInvalidation", Caller: "plan"}},
		"Smithy RPC names it in the path":                {"POST /service/Logs/operation/PutLogEvents", signed("logs"), "", Call{Service: "logs", Operation: "PutLogEvents", Caller: "plan"}},
		"a REST call that nobody knows has no operation": {"POST /2015-03-31/functions/plan/what", signed("lambda"), "", Call{Service: "lambda", Caller: "plan"}},
	} {
		t.Run(name, func(t *testing.T) {
			method, target, _ := strings.Cut(c.request, " ")
			r := httptest.NewRequest(method, target, nil)
			r.Header.Set("Authorization", c.authorization)
			r.Header.Set("X-Amz-Target", c.target)
			if diff := cmp.Diff(c.want, identify(r), cmpopts.IgnoreFields(Call{}, "Key")); diff != "" {
				t.Errorf("identify (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheQueryProtocolNamesTheOperationInItsForm(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if got := formAction(r, []byte("Action=CreateRule&Version=2015-12-01")); got != "CreateRule" {
		t.Errorf("formAction = %q", got)
	}
	r.Header.Set("Content-Type", "application/json")
	if got := formAction(r, []byte("Action=CreateRule")); got != "" {
		t.Errorf("formAction of JSON = %q", got)
	}
}
