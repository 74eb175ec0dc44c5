package service

import (
	"slices"
	"strings"

	"previewenv/lambdas/internal/kind"
)

const (
	arn      = "arn:${Partition}:ecs:${Region}:${Account}:"
	logs     = "arn:${Partition}:logs:${Region}:${Account}:log-group:"
	services = arn + "service/${Cluster}/${Prefix}-*"
	// Without :* at its end: whether ECS sends the ARN of a family or of a revision
	// when one is registered is not documented, and both begin so.
	family = arn + "task-definition/${Prefix}-*"
)

// taskID is how many characters the id of a task has
// (docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html); a
// stream of the awslogs driver is prefix/container/id.
const taskID = 32

// Info is what the suite knows of services. ${Cluster} is the name of the catalog's
// cluster, ${TaskRoles} are the ARNs of the roles that the catalog gives to previews.
func Info() kind.Info {
	return kind.Info{Name: "service", Rank: 30, Example: slices.Clone(example), Grants: grants(), Sweep: sweepGrants()}
}

// ours holds a call to what bears the installation's tag. The cluster needs no
// condition: it stands in the ARN of a service.
func ours() map[string]map[string]string {
	return map[string]map[string]string{"StringEquals": {"aws:ResourceTag/ManagedBy": "${Prefix}"}}
}

// inCluster holds a call to the catalog's cluster.
func inCluster() map[string]map[string]string {
	return map[string]map[string]string{"ArnEquals": {"ecs:cluster": arn + "cluster/${Cluster}"}}
}

func grants() []kind.Grant {
	return []kind.Grant{
		{Actions: []string{"ecs:CreateService", "ecs:DescribeServices"}, Resources: []string{services}},
		{Actions: []string{"ecs:UpdateService", "ecs:DeleteService"}, Resources: []string{services}, Conditions: ours()},
		{Actions: []string{"ecs:RegisterTaskDefinition"}, Resources: []string{family}},
		{Actions: []string{"ecs:DeleteTaskDefinitions"}, Resources: []string{family}, Conditions: ours()},
		{
			Actions: []string{"ecs:DeregisterTaskDefinition"}, Resources: []string{"*"},
			Why: "AWS gives it neither a resource level nor a condition; the guard asks for the environment's tags before each call.",
		},
		{
			Actions: []string{"ecs:ListTaskDefinitions", "ecs:DescribeTaskDefinition"}, Resources: []string{"*"},
			Why: "AWS gives these reads no resource level.",
		},
		{
			Actions: []string{"ecs:TagResource"}, Resources: []string{services},
			Conditions: map[string]map[string]string{"StringEquals": {"ecs:CreateAction": "CreateService"}},
			Why:        "Tags go in with the creation, and nothing else may be tagged.",
		},
		{
			Actions: []string{"ecs:TagResource"}, Resources: []string{family},
			Conditions: map[string]map[string]string{"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}},
			Why:        "Tags go in with the registration, and nothing else may be tagged.",
		},
		{
			Actions: []string{"iam:PassRole"}, Resources: []string{"${TaskRoles}"},
			Conditions: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}, //nolint:gosec // a service, no credential
			Why:        "No call of its own: registering a task definition hands over its roles.",
		},
		{
			Actions: []string{"ecs:ListTasks"}, Resources: []string{"*"}, Conditions: inCluster(),
			Why: "Its resource level is the container instance, which a Fargate task has not; the cluster is a condition.",
		},
		{
			Actions: []string{"ecs:DescribeTasks"}, Resources: []string{arn + "task/${Cluster}/*"}, Conditions: inCluster(),
		},
		{
			Actions:   []string{"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth"},
			Resources: []string{"*"}, Why: "ELBv2 describe calls have no resource level.",
		},
		// The log groups are those of the baseline's services, under names that the catalog
		// does not know; a stream of a task ends in its id.
		{Actions: []string{"logs:GetLogEvents"}, Resources: []string{logs + "*:log-stream:*/*/" + strings.Repeat("?", taskID)}},
		{Deny: true, Actions: []string{"logs:GetLogEvents"}, Resources: []string{logs + "/aws/*"}},
	}
}

func sweepGrants() []kind.Grant {
	return []kind.Grant{
		{Actions: []string{"ecs:DescribeServices"}, Resources: []string{services}},
		{Actions: []string{"ecs:DeleteService"}, Resources: []string{services}, Conditions: ours()},
		{Actions: []string{"ecs:DeleteTaskDefinitions"}, Resources: []string{family}, Conditions: ours()},
		{
			Actions: []string{"ecs:DeregisterTaskDefinition"}, Resources: []string{"*"},
			Why: "AWS gives it neither a resource level nor a condition; the guard asks for the environment's tags before each call.",
		},
		{
			Actions:   []string{"ecs:ListTaskDefinitions", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitionFamilies"},
			Resources: []string{"*"},
			Why:       "AWS gives these reads no resource level.",
		},
		{
			Actions: []string{"ecs:ListServices"}, Resources: []string{"*"}, Conditions: inCluster(),
			Why: "It has no resource level; the cluster is a condition.",
		},
	}
}
