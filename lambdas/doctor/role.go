package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// role is one that the tasks of a preview run with.
type role struct {
	arn       string
	execution bool // it pulls the image, and writes the logs
}

// rolesOf are those of a preview of a service: today the baseline's. A catalog that
// maps a service to roles of its own is read here, and nowhere else.
func (d *doctor) rolesOf(_ string, b backend) []role {
	return []role{
		{arn: aws.ToString(b.clone.TaskDefinition.TaskRoleArn)},
		{arn: aws.ToString(b.clone.TaskDefinition.ExecutionRoleArn), execution: true},
	}
}

// passable are the patterns of roles that the service function may pass.
func (d *doctor) passable() []string { return d.Catalog.Installation.TaskRoles }

// roles asks whether the roles of previews may be passed, assumed and pulled with.
func (d *doctor) roles(ctx context.Context, s *sheet) {
	asked := map[string]bool{}
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		if err != nil {
			s.unknown(name, err)
			return
		}
		for _, r := range d.rolesOf(name, b) {
			switch {
			case r.arn == "" && r.execution:
				s.fails("no-execution-role", name, "Its task definition has no execution role: nobody could pull the image.",
					fmt.Sprintf("Give %s an executionRoleArn.", aws.ToString(b.Definition.Family)))
			case r.arn == "":
			case !slices.ContainsFunc(d.passable(), func(pattern string) bool { return matches(pattern, r.arn) }):
				s.fails("role-not-passable", name, fmt.Sprintf("It runs with %s, which is not among the roles that previews may run with.", r.arn),
					"Add it to installation.taskRoles in the catalog, and deploy.")
			case d.role(ctx, s, name, r, !asked[r.arn]) && r.execution:
				d.pulls(ctx, s, name, r)
			}
			asked[r.arn] = true
		}
	})
	s.good("%d may be passed to ECS and pull what they have to", len(asked))
}

// matches tells whether an ARN is the pattern, or below the path that ends in /*.
func matches(pattern, arn string) bool {
	path, any := strings.CutSuffix(pattern, "*")
	return arn == pattern || any && strings.HasPrefix(arn, path)
}

// role tells whether a role is there; what is wrong with it is said the first time.
func (d *doctor) role(ctx context.Context, s *sheet, name string, r role, first bool) bool {
	out, err := d.IAM.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(r.arn[strings.LastIndex(r.arn, "/")+1:])})
	if codeOf(err) == "NoSuchEntity" {
		if first {
			s.fails("role-missing", name, fmt.Sprintf("There is no role %s.", r.arn), "Make it, or correct the task definition.")
		}
		return false
	}
	if err != nil {
		s.unknown(name, err)
		return true // what it may do can be asked all the same
	}
	if first && !trusts(aws.ToString(out.Role.AssumeRolePolicyDocument), "ecs-tasks.amazonaws.com") {
		s.fails("role-not-assumable", name, fmt.Sprintf("%s does not let ECS tasks assume it.", r.arn),
			fmt.Sprintf(`aws iam update-assume-role-policy --role-name %s --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}'`,
				aws.ToString(out.Role.RoleName)))
	}
	return true
}

// trusts tells whether a trust policy allows a service.
func trusts(document, service string) bool {
	if text, err := url.QueryUnescape(document); err == nil {
		document = text
	}
	var policy struct {
		Statement []struct {
			Effect    string
			Principal struct{ Service any }
		}
	}
	if json.Unmarshal([]byte(document), &policy) != nil {
		return true // it is not for us to read, so it is not for us to blame
	}
	for _, statement := range policy.Statement {
		list, _ := statement.Principal.Service.([]any)
		if statement.Effect == "Allow" && (statement.Principal.Service == service || slices.Contains(list, any(service))) {
			return true
		}
	}
	return false
}

// pulls asks IAM whether a role may pull the previews' image of a service: a role
// that is bound to the baseline's repository may not.
func (d *doctor) pulls(ctx context.Context, s *sheet, name string, r role) {
	repository := fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s/%s", d.region, d.account, d.Prefix, name)
	out, err := d.IAM.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &r.arn, ActionNames: []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, ResourceArns: []string{repository},
	})
	if err != nil {
		s.unknown(name, err)
		return
	}
	for _, result := range out.EvaluationResults {
		if result.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed {
			s.fails("role-cannot-pull", name,
				fmt.Sprintf("%s may not do %s on %s: the task of a preview would not start.", r.arn, aws.ToString(result.EvalActionName), repository),
				fmt.Sprintf("Allow it there, or everything below: aws iam put-role-policy --role-name %s --policy-name pull-previews --policy-document "+
					`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Resource":"arn:aws:ecr:%s:%s:repository/%s/*"}]}'`,
					r.arn[strings.LastIndex(r.arn, "/")+1:], d.region, d.account, d.Prefix))
			return
		}
	}
}
