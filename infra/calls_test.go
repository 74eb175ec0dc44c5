package main

import (
	"bufio"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// namedOtherwise are the operations that IAM knows by another name
// (docs.aws.amazon.com/service-authorization/latest/reference).
var namedOtherwise = map[string]string{
	"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket", "s3:DeleteObjects": "s3:DeleteObject",
	"s3:CopyObject":               "s3:PutObject",
	"dynamodb:TransactWriteItems": "dynamodb:PutItem", "tagging:GetResources": "tag:GetResources",
}

// uncalled are what a role may do and no life calls, each with its reason.
var uncalled = map[string]string{
	"elasticloadbalancing:AddTags": "asked for by CreateRule and CreateTargetGroup, which carry the tags",
	"ecs:TagResource":              "asked for by CreateService and RegisterTaskDefinition, which carry the tags",
	"sqs:TagQueue":                 "asked for by CreateQueue, which carries the tags",
	"s3:PutObjectTagging":          "asked for by PutObject, which carries the tags",
	"s3:AbortMultipartUpload":      "asked for by a source of several parts that is refused half-way",
	"s3:GetObjectVersion":          "asked for by HeadObject of a version",
	"iam:PassRole":                 "asked for by RegisterTaskDefinition, which names the roles",
	"logs:CreateLogStream":         "Lambda writes the log by the function's role",
	"logs:PutLogEvents":            "the same",
	"dynamodb:DescribeStream":      "Lambda reads the stream by the function's role",
	"dynamodb:GetRecords":          "the same",
	"dynamodb:GetShardIterator":    "the same",
	"dynamodb:ListStreams":         "the same",
	"sqs:SendMessage":              "Lambda hands on dead letters by the function's role",
}

// seldom are calls that a recorded life makes only when two collide, or a plan
// changes in a way that no life of the tests does.
var seldom = map[string]string{
	"targetgroup elasticloadbalancing:ModifyTargetGroup": "a baseline whose health check was changed",
	"build s3:ListBucket":                                "HeadObject is answered 403 without it where there is no object",
	"build states:SendTaskFailure":                       "a build that fails, or whose event comes twice",
	"plan states:SendTaskSuccess":                        "an execution that is superseded while it holds",
	"plan secretsmanager:DescribeSecret":                 "an override that names a secret as Secrets Manager lists it",
	"rule elasticloadbalancing:ModifyRule":               "a service whose paths were changed in the catalog",
}

// recorded are the calls of whole lives in the local stack, by function: the test of
// infra/local/life writes them.
func recorded(t *testing.T) map[string]map[string]bool {
	t.Helper()
	file, err := os.Open("../testdata/calls.golden")
	if err != nil {
		t.Fatalf("%v; make it: go test ./infra/local/life -update", err)
	}
	defer func() { _ = file.Close() }()
	calls := map[string]map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		function, call, _ := strings.Cut(lines.Text(), " ")
		if action, ok := namedOtherwise[call]; ok {
			call = action
		}
		if calls[function] == nil {
			calls[function] = map[string]bool{}
		}
		calls[function][call] = true
	}
	return calls
}

func TestWhatTheFunctionsCallIsWhatTheirRolesGrant(t *testing.T) {
	calls := recorded(t)
	names, err := functionNames("..")
	if err != nil {
		t.Fatal(err)
	}
	unneeded := maps.Clone(seldom)
	for _, name := range names {
		granted := grantedTo(t, roleOf(t, name))
		for _, call := range slices.Sorted(maps.Keys(calls[name])) {
			if !slices.Contains(granted, call) {
				t.Errorf("%s calls %s, which its role does not grant", name, call)
			}
		}
		for _, action := range granted {
			_, implied := uncalled[action]
			_, rare := seldom[name+" "+action]
			delete(unneeded, name+" "+action)
			if !calls[name][action] && !implied && !rare {
				t.Errorf("%s may %s, and no recorded life calls it", name, action)
			}
		}
	}
	for call := range unneeded {
		t.Errorf("%s is excused, and not granted", call)
	}
}
