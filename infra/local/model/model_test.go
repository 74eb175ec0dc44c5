package model

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T) *Models {
	t.Helper()
	m, err := Load(filepath.Join("..", "..", "..", ".local", "venv", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// call is a request as a client sends it: a form, JSON, or a path.
type call struct {
	service, operation, method, path, body string
	header                                 map[string]string
}

func (c call) judge(m *Models) []string {
	method, path := c.method, c.path
	if method == "" {
		method, path = http.MethodPost, "/"
	}
	r := httptest.NewRequest(method, path, strings.NewReader(c.body))
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return lines(m.Request(c.service, c.operation, r, []byte(c.body)))
}

func lines(found []Violation) []string {
	var out []string
	for _, v := range found {
		out = append(out, v.String())
	}
	return out
}

const (
	group  = "Name=pv-group&Protocol=HTTP&Port=80&VpcId=vpc-1"
	arn    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/1/2"
	store  = "/key-value-stores/arn%3Aaws%3Acloudfront%3A%3A123456789012%3Akey-value-store%2Fa1b2c3d4-1111-2222-3333-444455556666"
	rule   = "ListenerArn=" + arn + "&Conditions.member.1.Field=host-header&Actions.member.1.Type=forward"
	record = `"Key":{"environment":{"S":"pr1"}}`
)

var etag = map[string]string{"If-Match": "KV1"}

// long is longer than any name.
var long = strings.Repeat("x", 300)

// spoiled are requests with one thing wrong, and what is said of it.
var spoiled = map[string]struct {
	call
	want string
}{
	"a required member is missing":            {call{service: "elasticloadbalancing", operation: "CreateRule", body: rule}, "Priority is required, and missing"},
	"a required member of a member":           {call{service: "elasticloadbalancing", operation: "AddTags", body: "ResourceArns.member.1=a&Tags.member.1.Value=v"}, "Tags[0].Key is required, and missing"},
	"an unknown member of a form":             {call{service: "elasticloadbalancing", operation: "CreateTargetGroup", body: group + "&Colour=red"}, "Colour is no member of it"},
	"a number below its range":                {call{service: "elasticloadbalancing", operation: "CreateRule", body: rule + "&Priority=0"}, `Priority is "0": is less than 1`},
	"a number above its range":                {call{service: "elasticloadbalancing", operation: "CreateRule", body: rule + "&Priority=50001"}, `Priority is "50001": is more than 50000`},
	"a text for a number":                     {call{service: "elasticloadbalancing", operation: "CreateRule", body: rule + "&Priority=first"}, `Priority is "first": is no number`},
	"a value outside of an enum":              {call{service: "elasticloadbalancing", operation: "CreateTargetGroup", body: group + "&TargetType=pod"}, `TargetType is "pod": is none of instance, ip, lambda, alb`},
	"a tag's value with a forbidden letter":   {call{service: "elasticloadbalancing", operation: "CreateTargetGroup", body: group + "&Tags.member.1.Key=Owner&Tags.member.1.Value=a%3Cb"}, `Tags[0].Value is "a<b": does not match`},
	"a tag's value of 300 characters":         {call{service: "elasticloadbalancing", operation: "CreateTargetGroup", body: group + "&Tags.member.1.Key=Owner&Tags.member.1.Value=" + long}, "has 300 characters, at most 256"},
	"a list that may not be empty":            {call{service: "elasticloadbalancing", operation: "AddTags", body: "ResourceArns.member.1=a&Tags="}, "Tags has 0 elements, at least 1"},
	"a path of a health check that is long":   {call{service: "elasticloadbalancing", operation: "CreateTargetGroup", body: group + "&HealthCheckPath=/" + strings.Repeat("x", 1024)}, "HealthCheckPath is"},
	"an operation that there is not":          {call{service: "elasticloadbalancing", operation: "PaintRule", body: ""}, "is no operation of this service"},
	"a container without its required name":   {call{service: "ecs", operation: "DeleteService", body: `{"cluster":"c"}`}, "service is required, and missing"},
	"an unknown member of JSON":               {call{service: "ecs", operation: "DeleteService", body: `{"service":"s","Force":true}`}, "Force is no member of it"},
	"a text for a boolean":                    {call{service: "ecs", operation: "DeleteService", body: `{"service":"s","force":"true"}`}, `force is "true": is no boolean`},
	"a text for a list":                       {call{service: "ecs", operation: "DescribeServices", body: `{"services":"s"}`}, `services is "s": is no list`},
	"a list for a structure":                  {call{service: "ecs", operation: "UpdateService", body: `{"service":"s","deploymentConfiguration":[]}`}, "is no structure"},
	"an enum within a list":                   {call{service: "ecs", operation: "RegisterTaskDefinition", body: `{"family":"f","containerDefinitions":[],"requiresCompatibilities":["LAMBDA"]}`}, `requiresCompatibilities[0] is "LAMBDA": is none of EC2, FARGATE`},
	"a fraction for a whole number":           {call{service: "ecs", operation: "UpdateService", body: `{"service":"s","desiredCount":1.5}`}, "is no whole number"},
	"a null":                                  {call{service: "ecs", operation: "DeleteService", body: `{"service":"s","cluster":null}`}, "cluster is null"},
	"JSON that is cut":                        {call{service: "ecs", operation: "DeleteService", body: `{"service":`}, "cannot be read"},
	"an ECS tag with a forbidden letter":      {call{service: "ecs", operation: "TagResource", body: `{"resourceArn":"a","tags":[{"key":"Owner","value":"\u0001"}]}`}, "tags[0].value is"},
	"a table's name with a space":             {call{service: "dynamodb", operation: "GetItem", body: `{"TableName":"",` + record + `}`}, "TableName has 0 characters, at least 1"},
	"a key without a type":                    {call{service: "dynamodb", operation: "GetItem", body: `{"TableName":"t","Key":{"environment":"pr1"}}`}, "Key.environment is \"pr1\": is no structure"},
	"two types of one attribute":              {call{service: "dynamodb", operation: "GetItem", body: `{"TableName":"t","Key":{"environment":{"Text":"pr1"}}}`}, "Key.environment.Text is no member of it"},
	"a transaction of 101 items":              {call{service: "dynamodb", operation: "TransactWriteItems", body: `{"TransactItems":[` + strings.TrimSuffix(strings.Repeat("{},", 101), ",") + `]}`}, "TransactItems has 101 elements, at most 100"},
	"an execution's name that is long":        {call{service: "states", operation: "StartExecution", body: `{"stateMachineArn":"a","name":"` + long[:81] + `"}`}, "(81 characters): has 81 characters, at most 80"},
	"an execution of nothing":                 {call{service: "states", operation: "StartExecution", body: `{"name":"n"}`}, "stateMachineArn is required, and missing"},
	"an SQS attribute that there is not":      {call{service: "sqs", operation: "GetQueueAttributes", body: `{"QueueUrl":"u","AttributeNames":["Colour"]}`}, `AttributeNames[0] is "Colour": is none of`},
	"eleven parameters at once":               {call{service: "ssm", operation: "GetParameters", body: `{"Names":[` + strings.TrimSuffix(strings.Repeat(`"n",`, 11), ",") + `]}`}, "Names has 11 elements, at most 10"},
	"a build of nothing":                      {call{service: "codebuild", operation: "StartBuild", body: `{"projectName":""}`}, "projectName has 0 characters, at least 1"},
	"a build's override that there is not":    {call{service: "codebuild", operation: "StartBuild", body: `{"projectName":"p","colourOverride":"red"}`}, "colourOverride is no member of it"},
	"a log group's name with a space":         {call{service: "logs", operation: "GetLogEvents", body: `{"logGroupName":"a b","logStreamName":"s"}`}, `logGroupName is "a b": does not match`},
	"a page of the tag index that is too big": {call{service: "tagging", operation: "GetResources", body: `{"TagFilters":[{"Key":"` + long + `"}]}`}, "TagFilters[0].Key is"},
	"a key of a store without its version":    {call{service: "cloudfront-keyvaluestore", operation: "DeleteKey", method: "DELETE", path: store + "/keys/pr1"}, "IfMatch is required, and missing"},
	"a store's key that has no value":         {call{service: "cloudfront-keyvaluestore", operation: "PutKey", method: "PUT", path: store + "/keys/pr1", body: `{}`, header: etag}, "Value is required, and missing"},
	"a page of 51 keys":                       {call{service: "cloudfront-keyvaluestore", operation: "ListKeys", method: "GET", path: store + "/keys?MaxResults=51"}, `MaxResults is "51": is more than 50`},
	"an object without a key":                 {call{service: "s3", operation: "DeleteObjects", method: "POST", path: "/bucket?delete=", body: `<Delete><Object><VersionId>1</VersionId></Object></Delete>`}, "Delete.Object[0].Key is required, and missing"},
	"a storage class that there is not":       {call{service: "s3", operation: "PutObject", method: "PUT", path: "/bucket/a/b", header: map[string]string{"X-Amz-Storage-Class": "COLD"}}, `is "COLD": is none of STANDARD`},
	"a kind of invocation that there is not":  {call{service: "lambda", operation: "Invoke", method: "POST", path: "/2015-03-31/functions/f/invocations", header: map[string]string{"X-Amz-Invocation-Type": "Later"}}, `is "Later": is none of Event`},
	"a function's name that is none":          {call{service: "lambda", operation: "Invoke", method: "POST", path: "/2015-03-31/functions/a%20b/invocations"}, `FunctionName is "a b": does not match`},
}

func TestASpoiledRequestIsDetectedAndNamed(t *testing.T) {
	m := load(t)
	for name, c := range spoiled {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(c.judge(m), "\n")
			if !strings.Contains(got, c.want) || !strings.HasPrefix(got, c.service+" "+c.operation+": ") {
				t.Errorf("it is said %q, which lacks %q", got, c.want)
			}
		})
	}
}

func TestAnHonestRequestIsLeftAlone(t *testing.T) {
	m := load(t)
	for name, c := range map[string]call{
		"a form":         {service: "elasticloadbalancing", operation: "CreateRule", body: "Action=CreateRule&Version=2015-12-01&" + rule + "&Priority=1&Conditions.member.1.HostHeaderConfig.Values.member.1=a.b&Tags.member.1.Key=Owner&Tags.member.1.Value=U1"},
		"JSON":           {service: "ecs", operation: "DeleteService", body: `{"service":"s","force":true}`},
		"nothing":        {service: "elasticloadbalancing", operation: "DescribeAccountLimits", body: "Action=DescribeAccountLimits&Version=2015-12-01"},
		"a path":         {service: "cloudfront-keyvaluestore", operation: "PutKey", method: "PUT", path: store + "/keys/pr1", body: `{"Value":"v"}`, header: etag},
		"a query":        {service: "s3", operation: "ListObjectsV2", method: "GET", path: "/bucket?list-type=2&prefix=a%2F&max-keys=5"},
		"an XML body":    {service: "s3", operation: "DeleteObjects", method: "POST", path: "/bucket?delete=", body: `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a/b</Key></Object><Quiet>true</Quiet></Delete>`},
		"invalidation":   {service: "cloudfront", operation: "CreateInvalidation", method: "POST", path: "/2020-05-31/distribution/E1/invalidation", body: `<InvalidationBatch><CallerReference>r</CallerReference><Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items></Paths></InvalidationBatch>`},
		"another's":      {service: "ec2", operation: "CreateVpc", body: "Colour=red"},
		"a large number": {service: "dynamodb", operation: "GetItem", body: `{"TableName":"t","Key":{"n":{"N":"123456789012345678901234567890"}},"ConsistentRead":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string(nil), c.judge(m)); diff != "" {
				t.Errorf("it is refused (-want +got):\n%s", diff)
			}
		})
	}
}
