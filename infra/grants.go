package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"previewenv/lambdas/kinds"
)

// Each function has one role, and it may do what is listed here: a kind's part is in
// its own folder (Grants, and Sweep for the reaper), the rest is below. A life in the
// local stack is recorded, and a test holds both to it: nothing that is called is
// missing, and nothing is granted that no life uses.

const (
	tableARN        = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${Table}"
	ephemeralBuilds = "arn:${Partition}:codebuild:${Region}:${Account}:project/${Prefix}-ephemeral-*"
	anyRule         = "ELBv2 describe calls have no resource level."
	unscoped        = "AWS gives these calls neither a resource nor a condition: only the holder of a task token can use them, and the table that holds it is readable by these roles alone."
)

// rows is what every function that follows an environment needs of the table.
var rows = kinds.Grant{Actions: []string{"dynamodb:GetItem", "dynamodb:PutItem"}, Resources: []string{tableARN}}

// lists is what those need that look for environments.
var lists = kinds.Grant{Actions: []string{"dynamodb:Query"}, Resources: []string{tableARN, tableARN + "/index/live"}}

// settingsOf is the published catalog.
var settingsOf = kinds.Grant{
	Actions:   []string{"ssm:GetParameters"},
	Resources: []string{"arn:${Partition}:ssm:${Region}:${Account}:parameter${Catalog}/*"},
}

var endWaits = kinds.Grant{Actions: []string{"states:SendTaskSuccess"}, Resources: []string{"*"}, Why: unscoped}

// room is what counting the places of the load balancer needs.
var room = kinds.Grant{
	Actions: []string{
		"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeRules",
		"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeAccountLimits",
	},
	Resources: []string{"*"}, Why: anyRule,
}

// secretNamed lets a function read one secret; Secrets Manager adds six characters
// to the name in the ARN.
func secretNamed(names ...string) kinds.Grant {
	g := kinds.Grant{Actions: []string{"secretsmanager:GetSecretValue"}}
	for _, name := range names {
		g.Resources = append(g.Resources, "arn:${Partition}:secretsmanager:${Region}:${Account}:secret:${Prefix}/"+name+"-??????")
	}
	return g
}

var machineStart = kinds.Grant{
	Actions: []string{"states:StartExecution"}, Resources: []string{"arn:${Partition}:states:${Region}:${Account}:stateMachine:${Machine}"},
}

// functionGrants are those of the functions that are no kind.
var functionGrants = map[string][]kinds.Grant{
	"slack": {
		rows, settingsOf, machineStart, endWaits, room, secretNamed("slack-token", "slack-signing-secret", "github-token"),
		{Actions: []string{"dynamodb:Query"}, Resources: []string{tableARN + "/index/live", tableARN + "/index/commit"}},
	},
	"plan": {
		rows, lists, settingsOf, endWaits, room, secretNamed("github-token"),
		{Actions: []string{"ecs:DescribeServices"}, Resources: []string{"arn:${Partition}:ecs:${Region}:${Account}:service/${Cluster}/*"}},
		{
			Actions: []string{"ecs:DescribeTaskDefinition"}, Resources: []string{"*"},
			Why: "AWS gives this read no resource level.",
		},
		// The name of a secret in an override; which, only a request says. It shows no value.
		{Actions: []string{"secretsmanager:DescribeSecret"}, Resources: []string{"arn:${Partition}:secretsmanager:${Region}:${Account}:secret:*"}},
		{Actions: []string{"sqs:GetQueueUrl", "sqs:GetQueueAttributes"}, Resources: []string{"${BaselineQueues}"}},
	},
	"build": {
		rows, settingsOf, endWaits, secretNamed("github-token"),
		{Actions: []string{"dynamodb:UpdateItem"}, Resources: []string{tableARN}},
		{Actions: []string{"states:SendTaskFailure"}, Resources: []string{"*"}, Why: unscoped},
		{Actions: []string{"codebuild:StartBuild"}, Resources: []string{ephemeralBuilds}, Conditions: asItsProjectSays()},
		{Actions: []string{"codebuild:BatchGetBuilds"}, Resources: []string{ephemeralBuilds}},
		{Actions: []string{"ecr:BatchGetImage"}, Resources: []string{"arn:${Partition}:ecr:${Region}:${Account}:repository/${Prefix}/*"}},
		{Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{"arn:${Partition}:s3:::${Artifacts}/builds/*"}},
		{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:${Partition}:s3:::${Artifacts}/outputs/*"}},
		{
			Actions:   []string{"s3:PutObject", "s3:GetObjectVersion", "s3:AbortMultipartUpload"},
			Resources: []string{"arn:${Partition}:s3:::${Sources}/sources/*"},
		},
		{
			// Without the right to list, S3 answers 403 for a build that is not there.
			Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:${Partition}:s3:::${Artifacts}"},
		},
		{
			Actions: []string{"logs:GetLogEvents"}, Resources: []string{"arn:${Partition}:logs:${Region}:${Account}:log-group:/aws/codebuild/${Prefix}-ephemeral-*:log-stream:*"},
		},
	},
	"hold":    {rows, settingsOf, endWaits},
	"cleanup": {rows, {Actions: []string{"dynamodb:Query"}, Resources: []string{tableARN}}},
	"notify": {
		rows, settingsOf, secretNamed("slack-token"), {Actions: []string{"dynamodb:Query"}, Resources: []string{tableARN}},
	},
	"reap": {
		rows, lists, settingsOf, machineStart,
		{
			Actions: []string{"states:DescribeExecution"}, Resources: []string{"arn:${Partition}:states:${Region}:${Account}:execution:${Machine}:*"},
		},
		{Actions: []string{"tag:GetResources"}, Resources: []string{"*"}, Why: "AWS gives it no resource level; it shows names and tags alone."},
	},
}

// grantsOf are those of a function, wherever they are stated.
func grantsOf(name string) []kinds.Grant {
	all := slices.Clone(functionGrants[name])
	for _, k := range kinds.All {
		switch name {
		case k.Name:
			all = append(all, rows)
			all = append(all, k.Grants...)
		case "reap":
			all = append(all, k.Sweep...)
		}
	}
	return all
}

var placeholders = regexp.MustCompile(`\$\{(\w+)\}`)

// grant gives a role what its function may do, in one policy.
func (p *previews) grant(name string, role awsiam.Role) (awsiam.Policy, error) {
	grants := grantsOf(name)
	if len(grants) == 0 {
		return nil, fmt.Errorf("grant function %s: it is no kind; say what it may call in infra/grants.go", name)
	}
	policy := awsiam.NewPolicy(p.stack, jsii.String(*role.Node().Id()+"Grants"), &awsiam.PolicyProps{Roles: &[]awsiam.IRole{role}})
	for _, g := range grants {
		statement, err := p.statement(g)
		if err != nil {
			return nil, fmt.Errorf("grant function %s: %w", name, err)
		}
		policy.AddStatements(statement)
	}
	suppressGrants(policy, grants)
	return policy, nil
}

func (p *previews) statement(g kinds.Grant) (awsiam.PolicyStatement, error) {
	var resources []string
	for _, pattern := range g.Resources {
		filled, err := p.fill(pattern)
		if err != nil {
			return nil, err
		}
		resources = append(resources, filled...)
	}
	conditions := map[string]any{}
	for operator, keys := range g.Conditions {
		filled := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			values, err := p.fill(keys[key])
			if err != nil {
				return nil, err
			}
			filled[key] = values[0]
		}
		conditions[operator] = filled
	}
	props := &awsiam.PolicyStatementProps{Actions: jsii.Strings(g.Actions...), Resources: jsii.Strings(resources...)}
	if len(conditions) > 0 {
		props.Conditions = &conditions
	}
	if g.Deny {
		props.Effect = awsiam.Effect_DENY
	}
	return awsiam.NewPolicyStatement(props), nil
}

// fill puts in what only the installation knows. A placeholders that stands for
// several makes several.
func (p *previews) fill(pattern string) ([]string, error) {
	filled := []string{pattern}
	for _, found := range placeholders.FindAllStringSubmatch(pattern, -1) {
		values, ok := p.known()[found[1]]
		if !ok {
			return nil, fmt.Errorf("fill %s: nothing is known for %s", pattern, found[0])
		}
		var next []string
		for _, text := range filled {
			for _, value := range values {
				next = append(next, strings.Replace(text, found[0], value, 1))
			}
		}
		filled = next
	}
	return filled, nil
}

func (p *previews) known() map[string][]string {
	one := func(s string) []string { return []string{s} }
	var queues []string
	for _, name := range slices.Sorted(maps.Keys(p.catalog.Queues)) {
		queues = append(queues, p.arn("sqs", p.catalog.Queues[name].Clone))
	}
	if len(queues) == 0 {
		queues = one(p.arn("sqs", p.prefix+"-none"))
	}
	return map[string][]string{
		"Partition": one("aws"), "Account": one(p.account), "Region": one(p.region), "Prefix": one(p.prefix),
		"Table": one(*p.table.TableName()), "Catalog": one(p.catalogPath()), "Machine": one(p.machineName()),
		"Listeners": one(p.baseline.listener), "ListenerRules": one(p.baseline.rules()), "Cluster": one(p.baseline.cluster),
		"TaskRoles": p.passable(), "BaselineQueues": queues,
		"Artifacts": one(*p.artifacts.BucketName()), "Sources": one(*p.sources.BucketName()), "Site": one(*p.site.BucketName()),
		"Distribution": one(*p.edge.distribution.DistributionId()), "KeyValueStore": one(*p.edge.store.KeyValueStoreArn()),
	}
}
