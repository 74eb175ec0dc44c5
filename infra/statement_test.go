package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// statement is one of any policy of a template: of a role, a bucket, a queue, or of
// who may assume a role.
type statement struct {
	of        string // stack and logical id, without the hashes of CDK
	actions   []string
	resources []string // as ARNs
	keys      []string // of its conditions
}

// statements are those of all policies, wherever they stand in a resource.
func (all stacks) statements(t *testing.T) []statement {
	t.Helper()
	var found []statement
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, id := range slices.Sorted(maps.Keys(all[name].Resources)) {
			for _, s := range policies(all[name].Resources[id].Properties) {
				found = append(found, statement{
					of: name + " " + clean(id), actions: given(s["Action"]), resources: all.arns(t, name, s["Resource"]), keys: conditionKeys(s["Condition"]),
				})
			}
		}
	}
	return found
}

// policies are the statements below a value.
func policies(v any) []map[string]any {
	var found []map[string]any
	switch v := v.(type) {
	case []any:
		for _, below := range v {
			found = append(found, policies(below)...)
		}
	case map[string]any:
		if statements, ok := v["Statement"].([]any); ok {
			for _, s := range statements {
				found = append(found, s.(map[string]any))
			}
			return found
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = append(found, policies(v[key])...)
		}
	}
	return found
}

// given is a list that may be left out.
func given(v any) []string {
	if v == nil {
		return nil
	}
	return list(v)
}

func conditionKeys(v any) []string {
	operators, _ := v.(map[string]any)
	var keys []string
	for _, o := range operators {
		keys = slices.AppendSeq(keys, maps.Keys(o.(map[string]any)))
	}
	return keys
}

// account begins the ARNs of what a stack makes.
const account = ":us-east-1:111122223333:"

// made are the ARNs that AWS gives to what a stack makes, by type and attribute; Ref
// is what a reference by name alone gives.
var made = map[string]string{
	"AWS::CloudFront::Distribution.Ref":             "E123",
	"AWS::CloudFront::KeyValueStore.Arn":            "arn:aws:cloudfront::111122223333:key-value-store/x",
	"AWS::CodeBuild::Project.Arn":                   "arn:aws:codebuild" + account + "project/x",
	"AWS::CodeBuild::Project.Ref":                   "x",
	"AWS::CodePipeline::Pipeline.Ref":               "x",
	"AWS::DynamoDB::Table.Arn":                      "arn:aws:dynamodb" + account + "table/x",
	"AWS::DynamoDB::Table.Ref":                      "x",
	"AWS::DynamoDB::Table.StreamArn":                "arn:aws:dynamodb" + account + "table/x/stream/y",
	"AWS::ECR::Repository.Arn":                      "arn:aws:ecr" + account + "repository/x",
	"AWS::ElasticLoadBalancingV2::Listener.Ref":     "arn:aws:elasticloadbalancing" + account + "listener/app/x/y/z",
	"AWS::IAM::Role.Arn":                            "arn:aws:iam::111122223333:role/x",
	"AWS::Lambda::Function.Arn":                     "arn:aws:lambda" + account + "function:x",
	"AWS::Logs::LogGroup.Arn":                       "arn:aws:logs" + account + "log-group:x:*",
	"AWS::S3::Bucket.Arn":                           "arn:aws:s3:::x",
	"AWS::S3::Bucket.Ref":                           "x",
	"AWS::SQS::Queue.Arn":                           "arn:aws:sqs" + account + "x",
	"AWS::SNS::Topic.Ref":                           "arn:aws:sns" + account + "x",
	"AWS::StepFunctions::StateMachine.Ref":          "arn:aws:states" + account + "stateMachine:x",
	"AWS::ECS::Cluster.Ref":                         "x",
	"AWS::ElasticLoadBalancingV2::LoadBalancer.Ref": "arn:aws:elasticloadbalancing" + account + "loadbalancer/app/x/y",
	"AWS::SecretsManager::Secret.Ref":               "arn:aws:secretsmanager" + account + "secret:x",
}

// pseudo are the parameters that CloudFormation has by itself.
var pseudo = map[string]string{"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111122223333"}

// arns are the resources of a statement with what they refer to filled in.
func (all stacks) arns(t *testing.T, stack string, v any) []string {
	t.Helper()
	return given(all.filled(t, stack, v))
}

// filled is a value of a template with what AWS would give for its references.
func (all stacks) filled(t *testing.T, stack string, v any) any {
	t.Helper()
	switch v := v.(type) {
	case []any:
		parts := make([]any, len(v))
		for i := range v {
			parts[i] = all.filled(t, stack, v[i])
		}
		return parts
	case map[string]any:
		if id, ok := v["Ref"].(string); ok {
			return all.given(t, stack, id, "Ref")
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return all.given(t, stack, text(get[0]), text(get[1]))
		}
		if name, ok := v["Fn::ImportValue"].(string); ok {
			maker, _, _ := strings.Cut(name, ":")
			return all.filled(t, maker, all[maker].exported(name))
		}
		if choose, ok := v["Fn::Select"].([]any); ok {
			// Of the parts of a listener's ARN, by which its rules are named.
			split := all.filled(t, stack, choose[1].(map[string]any)["Fn::Split"]).([]any)
			return strings.Split(text(split[1]), text(split[0]))[int(choose[0].(float64))]
		}
		parts := map[string]any{}
		for key := range v {
			parts[key] = all.filled(t, stack, v[key])
		}
		return parts
	}
	return v
}

// given is what AWS gives for one reference.
func (all stacks) given(t *testing.T, stack, id, attribute string) string {
	t.Helper()
	if value, ok := pseudo[id]; ok {
		return value
	}
	kind := all[stack].Resources[id].Type + "." + attribute
	arn, ok := made[kind]
	if !ok {
		t.Errorf("%s: nothing is known of %s, which is a %s; say in made what it looks like", stack, id, kind)
	}
	return arn
}

// exported is the value of an output by the name that other stacks import.
func (t template) exported(name string) any {
	for _, o := range t.Outputs {
		output := o.(map[string]any)
		if export, ok := output["Export"].(map[string]any); ok && text(export["Name"]) == name {
			return output["Value"]
		}
	}
	return nil
}
