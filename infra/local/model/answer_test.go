package model

import (
	"net/http"
	"strings"
	"testing"
)

// answer is what AWS's side says.
type answer struct {
	service, operation string
	status             int
	body               string
	header             map[string]string
}

func (a answer) judge(m *Models) string {
	header := http.Header{}
	for name, value := range a.header {
		header.Set(name, value)
	}
	return strings.Join(lines(m.Answer(a.service, a.operation, a.status, header, []byte(a.body))), "\n")
}

func rules(inner string) string {
	return "<DescribeRulesResponse><DescribeRulesResult><Rules><member>" + inner + "</member></Rules></DescribeRulesResult></DescribeRulesResponse>"
}

func TestAnAnswerThatAWSWouldNotGiveIsNamed(t *testing.T) {
	m := load(t)
	for name, c := range map[string]struct {
		answer
		want string
	}{
		"an unknown element":                   {answer{"elasticloadbalancing", "DescribeRules", 200, rules("<Colour>red</Colour>"), nil}, "the answer: Rules[0].Colour is no member of it"},
		"a boolean that is none":               {answer{"elasticloadbalancing", "DescribeRules", 200, rules("<IsDefault>yes</IsDefault>"), nil}, `Rules[0].IsDefault is "yes": is no boolean`},
		"an enum in a list":                    {answer{"elasticloadbalancing", "DescribeRules", 200, rules("<Actions><member><Type>paint</Type></member></Actions>"), nil}, `Rules[0].Actions[0].Type is "paint": is none of forward`},
		"an answer of another operation":       {answer{"elasticloadbalancing", "DescribeRules", 200, "<CreateRuleResponse/>", nil}, "there is no DescribeRulesResult"},
		"an error that the operation has not":  {answer{"elasticloadbalancing", "DeleteTargetGroup", 400, "<ErrorResponse><Error><Code>TargetGroupInUse</Code></Error></ErrorResponse>", nil}, `is "TargetGroupInUse"`},
		"an error of JSON":                     {answer{"ecs", "DeleteService", 400, `{"__type":"com.amazonaws.ecs#QueueIsFull"}`, nil}, "QueueIsFull"},
		"an error in a header":                 {answer{"cloudfront-keyvaluestore", "GetKey", 404, `{}`, map[string]string{"X-Amzn-ErrorType": "NoSuchKey"}}, "NoSuchKey"},
		"a null for a list":                    {answer{"codebuild", "StartBuild", 200, `{"build":{"environment":{"environmentVariables":null,"type":"ARM_CONTAINER","image":"i","computeType":"BUILD_GENERAL1_SMALL"}}}`, nil}, "build.environment.environmentVariables is null"},
		"a text for a timestamp":               {answer{"codebuild", "StartBuild", 200, `{"build":{"startTime":"noon"}}`, nil}, `build.startTime is "noon": is no timestamp`},
		"a time in another protocol's form":    {answer{"codebuild", "StartBuild", 200, `{"build":{"startTime":"2026-01-02T03:04:05Z"}}`, nil}, "is no timestamp of the form unixTimestamp"},
		"a member that is required":            {answer{"cloudfront-keyvaluestore", "GetKey", 200, `{"Key":"k","Value":"v","ItemCount":1}`, nil}, "TotalSizeInBytes is required, and missing"},
		"a secret's value is not shown":        {answer{"secretsmanager", "GetSecretValue", 200, `{"SecretString":7}`, nil}, "SecretString is (hidden): is no string"},
		"nor is the value of a parameter":      {answer{"ssm", "GetParameters", 200, `{"Parameters":[{"Name":"n","Value":7}]}`, nil}, "Parameters[0].Value is (hidden): is no string"},
		"an unknown element of a list of keys": {answer{"s3", "ListObjectsV2", 200, "<ListBucketResult><Contents><Key>a</Key><Colour>red</Colour></Contents></ListBucketResult>", nil}, "Contents[0].Colour is no member of it"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.judge(m); !strings.Contains(got, c.want) {
				t.Errorf("it is said %q, which lacks %q", got, c.want)
			}
		})
	}
}

func TestAnHonestAnswerIsLeftAlone(t *testing.T) {
	m := load(t)
	for name, a := range map[string]answer{
		"a list of XML":         {"elasticloadbalancing", "DescribeRules", 200, rules("<Priority>1</Priority><IsDefault>false</IsDefault><Conditions/>"), nil},
		"an error's code":       {"elasticloadbalancing", "DeleteTargetGroup", 400, "<ErrorResponse><Error><Code>ResourceInUse</Code></Error></ErrorResponse>", nil},
		"an error's shape":      {"dynamodb", "PutItem", 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`, nil},
		"a common error":        {"ecs", "DeleteService", 400, `{"__type":"ThrottlingException"}`, nil},
		"nothing":               {"sqs", "DeleteQueue", 200, "", nil},
		"a flattened list":      {"s3", "ListObjectsV2", 200, "<ListBucketResult><Name>b</Name><Contents><Key>a</Key><Size>3</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents><Contents><Key>b</Key></Contents><KeyCount>2</KeyCount></ListBucketResult>", nil},
		"a HEAD without a body": {"s3", "HeadObject", 404, "", nil},
		"a caller's own bytes":  {"lambda", "Invoke", 200, `{"any":null}`, map[string]string{"X-Amz-Function-Error": "Unhandled"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := a.judge(m); got != "" {
				t.Errorf("it is refused: %s", got)
			}
		})
	}
}

func TestEveryPatternOfTheModelsCanBeRead(t *testing.T) {
	m := load(t)
	for signed := range folders {
		s, err := m.service(signed)
		if err != nil {
			t.Fatal(err)
		}
		for name, sh := range s.Shapes {
			if sh.Pattern == "" {
				continue
			}
			if _, err := compile(sh.Pattern); err != nil {
				t.Errorf("%s %s: %s: %v", signed, name, sh.Pattern, err)
			}
		}
	}
}
