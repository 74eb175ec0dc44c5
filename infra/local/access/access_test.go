package access

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/edge"
)

func TestWhatACallAsksOfIAM(t *testing.T) {
	for rule, c := range map[string]struct {
		service, operation, method, path, body string
		want                                   []string
	}{
		"a creation brings its tags, and asks to tag": {
			"elasticloadbalancing", "CreateRule", "POST", "/",
			"Action=CreateRule&ListenerArn=arn%3Aaws%3Aelb%3Alistener/app/local/1/2&Tags.member.1.Key=ManagedBy&Tags.member.1.Value=pv&Tags.member.2.Key=Environment&Tags.member.2.Value=pr1",
			[]string{
				`{"caller":"me","action":"elasticloadbalancing:AddTags","resource":"arn:aws:elasticloadbalancing:us-east-1:111122223333:listener-rule/app/staging/0123456789abcdef/fedcba9876543210/0123456789abcdef","context":{"aws:RequestTag/Environment":"label","aws:RequestTag/ManagedBy":"pv","elasticloadbalancing:CreateAction":"CreateRule"}}`,
				`{"caller":"me","action":"elasticloadbalancing:CreateRule","resource":"arn:aws:elasticloadbalancing:us-east-1:111122223333:listener/app/staging/0123456789abcdef/fedcba9876543210","context":{"aws:RequestTag/Environment":"label","aws:RequestTag/ManagedBy":"pv"}}`,
			},
		},
		"names of environments become one": {
			"sqs", "GetQueueUrl", "POST", "/", `{"QueueName":"pv-pr17-orders-3-abcd2345.fifo"}`,
			[]string{`{"caller":"me","action":"sqs:GetQueueUrl","resource":"arn:aws:sqs:us-east-1:111122223333:pv-name.fifo"}`},
		},
		"names of the baseline stay": {
			"sqs", "GetQueueAttributes", "POST", "/", `{"QueueUrl":"http://127.0.0.1:4566/123456789012/staging-orders"}`,
			[]string{`{"caller":"me","action":"sqs:GetQueueAttributes","resource":"arn:aws:sqs:us-east-1:111122223333:staging-orders"}`},
		},
		"a registration hands over roles": {
			"ecs", "RegisterTaskDefinition", "POST", "/", `{"family":"pv-pr1-service1-1-x","taskRoleArn":"arn:a"}`,
			[]string{
				`{"caller":"me","action":"ecs:RegisterTaskDefinition","resource":"arn:aws:ecs:us-east-1:111122223333:task-definition/pv-name:1"}`,
				`{"caller":"me","action":"iam:PassRole","resource":"arn:aws:iam::111122223333:role/preview/service1","context":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}`,
			},
		},
		"each object of a deletion is asked for": {
			"s3", "DeleteObjects", "POST", "/local-site?delete",
			`<Delete><Object><Key>pr1/0123456789abcdef0123456789abcdef01234567/a.js</Key></Object><Object><Key>default/index.html</Key></Object></Delete>`,
			[]string{
				`{"caller":"me","action":"s3:DeleteObject","resource":"arn:aws:s3:::site/default/index.html"}`,
				`{"caller":"me","action":"s3:DeleteObject","resource":"arn:aws:s3:::site/label/commit/file"}`,
			},
		},
		"a copy reads and writes": {
			"s3", "CopyObject", "PUT", "/local-artifacts/builds/web/0123456789abcdef0123456789abcdef01234567.zip",
			"local-artifacts/outputs/web/01234567-89ab-cdef-0123-456789abcdef/output.zip",
			[]string{
				`{"caller":"me","action":"s3:GetObject","resource":"arn:aws:s3:::artifacts/outputs/web/build/output.zip"}`,
				`{"caller":"me","action":"s3:PutObject","resource":"arn:aws:s3:::artifacts/builds/web/commit.zip"}`,
			},
		},
		"a version is a right of its own": {
			"s3", "HeadObject", "HEAD", "/local-sources/sources/web.zip?versionId=1", "",
			[]string{`{"caller":"me","action":"s3:GetObjectVersion","resource":"arn:aws:s3:::sources/sources/web.zip"}`},
		},
		"an index is a resource of its own": {
			"dynamodb", "Query", "POST", "/", `{"TableName":"local","IndexName":"live"}`,
			[]string{`{"caller":"me","action":"dynamodb:Query","resource":"arn:aws:dynamodb:us-east-1:111122223333:table/Environments/index/live"}`},
		},
		"each parameter is asked for": {
			"ssm", "GetParameters", "POST", "/", `{"Names":["/local/catalog/settings","/local/catalog/services/service1"]}`,
			[]string{
				`{"caller":"me","action":"ssm:GetParameters","resource":"arn:aws:ssm:us-east-1:111122223333:parameter/pv/catalog/services/service1"}`,
				`{"caller":"me","action":"ssm:GetParameters","resource":"arn:aws:ssm:us-east-1:111122223333:parameter/pv/catalog/settings"}`,
			},
		},
		"an override of a build is a key": {
			"codebuild", "StartBuild", "POST", "/", `{"projectName":"pv-ephemeral-service1","buildspecOverride":"x"}`,
			[]string{`{"caller":"me","action":"codebuild:StartBuild","resource":"arn:aws:codebuild:us-east-1:111122223333:project/pv-ephemeral-service1","context":{"codebuild:source.buildspec":"given"}}`},
		},
		"another's call is not kept": {"dynamodb", "GetItem", "other", "/", `{}`, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			w := New(aws.Config{}, Places{Site: "local-site", Artifacts: "local-artifacts", Sources: "local-sources", LoadBalancer: "app/local/1/2", Prefix: "pv"},
				func(caller string) bool { return caller == "me" })
			caller, method := "me", c.method
			if method == "other" {
				caller, method = "other", "POST"
			}
			r := httptest.NewRequestWithContext(t.Context(), method, c.path, strings.NewReader(c.body))
			if c.operation == "CopyObject" {
				r.Header.Set("X-Amz-Copy-Source", c.body)
			}
			w.Overhear(edge.Call{Caller: caller, Service: c.service, Operation: c.operation}, r, []byte(c.body))
			got, faults := w.Requests()
			if diff := cmp.Diff(c.want, got); diff != "" || len(faults) > 0 {
				t.Errorf("%v (-want +got):\n%s", faults, diff)
			}
		})
	}
}

func TestACallThatIsNotKnownIsSaidToBe(t *testing.T) {
	w := New(aws.Config{}, Places{}, func(string) bool { return true })
	w.Overhear(edge.Call{Caller: "me", Service: "ecs", Operation: "RunTask"}, httptest.NewRequestWithContext(t.Context(), "POST", "/", nil), []byte(`{}`))
	if _, faults := w.Requests(); len(faults) != 1 || !strings.Contains(faults[0], "me ecs:RunTask") {
		t.Errorf("faults %v", faults)
	}
}
