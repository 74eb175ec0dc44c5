package moto

import "previewenv/infra/local/model"

// deviation is something of the emulator's answers that AWS's models do not allow,
// and that no function of the suite looks at.
type deviation struct {
	service, operation string
	member             string // or the code of an error
	reason             string
}

// deviations are all that there are; each was seen in a life.
var deviations = []deviation{
	{
		"ssm", "GetParameters", "InvalidParameters",
		"AWS answers an empty list too (docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html, the sample): the least length is that of a request",
	},
	{
		"dynamodb", "CreateTable", "TableDescription.ProvisionedThroughput.NumberOfDecreasesToday",
		"AWS answers 0 too (docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html, the sample)",
	},
	{
		"dynamodb", "DescribeTable", "Table.ProvisionedThroughput.NumberOfDecreasesToday",
		"AWS answers 0 too (docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html, the sample)",
	},
	{
		"codebuild", "CreateProject", "project.queuedTimeoutInMinutes",
		"moto keeps 0 where AWS's default is 480; only the seed asks",
	},
	{
		"codebuild", "BatchGetProjects", "projects[0].queuedTimeoutInMinutes",
		"moto keeps 0 where AWS's default is 480; only the local CodeBuild asks",
	},
	{
		"states", "StopExecution", "stopDate",
		"moto leaves it out; only tests stop executions",
	},
	{"secretsmanager", "DescribeSecret", "DeletedDate", "moto answers null; only the doctor asks, which takes it for none"},
	{"secretsmanager", "DescribeSecret", "KmsKeyId", "moto answers null; only the doctor asks, which takes it for none"},
	{"secretsmanager", "DescribeSecret", "LastAccessedDate", "moto answers null; only the doctor asks, which takes it for none"},
	{"secretsmanager", "DescribeSecret", "NextRotationDate", "moto answers null; only the doctor asks, which takes it for none"},
	{"secretsmanager", "DescribeSecret", "SecretVersionsToStages", "moto names the member of ListSecrets here; only the doctor asks"},
	{"logs", "DescribeLogGroups", "nextToken", "moto answers null; only the doctor asks, which takes it for none"},
	{
		"elasticloadbalancing", "DeleteTargetGroup", `"TargetGroupNotFound"`,
		"the model names no error for a group that is gone; the function takes it for gone",
	},
}

// Deviates is why an answer may violate the models; empty if nothing speaks for it.
func Deviates(v model.Violation) string {
	if !v.Answer {
		return ""
	}
	for _, d := range deviations {
		if d.service == v.Service && d.operation == v.Operation && (d.member == v.Member || v.Member == "" && d.member == v.Value) {
			return d.reason
		}
	}
	return ""
}
