package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// role is one that the tasks of a preview run with.
type role struct {
	arn       string
	execution bool // it pulls the image, and writes the logs
}

// rolesOf are those of a preview of a service.
func rolesOf(b backend) []role {
	return []role{
		{arn: aws.ToString(b.clone.TaskDefinition.TaskRoleArn)},
		{arn: aws.ToString(b.clone.TaskDefinition.ExecutionRoleArn), execution: true},
	}
}

// passable tells whether the service function may pass a role: it may pass those that
// the catalog names.
func (d *doctor) passable(arn string) bool {
	named := slices.Clone(d.Catalog.Installation.ExecutionRoles)
	for _, s := range d.Catalog.Services {
		named = append(named, s.PreviewTaskRole, s.PreviewExecutionRole)
	}
	return slices.Contains(named, arn)
}

// own looks whether previews of a service are kept from the baseline's task role.
func (d *doctor) own(s *sheet, name string, b backend) {
	service, task := d.Catalog.Services[name], aws.ToString(b.Definition.TaskRoleArn)
	switch {
	case task != "" && service.PreviewTaskRole == "":
		s.fails("no-preview-role", name, "It runs with a task role, and there is none for its previews.",
			"Make a role for them, with the boundary, and name it as previewTaskRole.")
	case task != "" && service.PreviewTaskRole == task && !service.SharesBaselineTaskRole:
		s.fails("baseline-role", name, "Its previews would run with the baseline's own task role.",
			"Make a role of their own, or write sharesBaselineTaskRole: true.")
	case service.SharesBaselineTaskRole && service.PreviewTaskRole != task:
		s.fails("baseline-role", name, "Its previews share the baseline's task role, but previewTaskRole is another.",
			"Name the baseline's role, or take sharesBaselineTaskRole out.")
	}
}

// roles asks whether the roles of previews may be passed, assumed and pulled with.
func (d *doctor) roles(ctx context.Context, s *sheet) {
	asked := map[string]bool{}
	each(ctx, d.backends(), func(name string) {
		b, err := d.backend(ctx, name)
		if err != nil {
			s.unknown(name, err)
			return
		}
		d.own(s, name, b)
		for _, r := range rolesOf(b) {
			switch {
			case r.arn == "" && r.execution && onFargate(b):
				s.fails("no-execution-role", name, "Its task definition has no execution role: nobody could pull the image.",
					fmt.Sprintf("Give %s an executionRoleArn.", aws.ToString(b.Definition.Family)))
			case r.arn == "":
			case !d.passable(r.arn):
				s.fails("role-not-passable", name, fmt.Sprintf("It starts with %s, which previews may not be given.", r.arn),
					"List it in installation.executionRoles, or name a previewExecutionRole, and deploy.")
			case d.role(ctx, s, name, r, !asked[r.arn]):
				each(ctx, d.needsOf(name, b, r), func(n need) { d.may(ctx, s, name, r, n) })
			}
			asked[r.arn] = true
		}
	})
	s.good("%d may be passed to ECS and pull what they have to", len(asked))
}

// onFargate tells whether a clone runs there; on EC2 the instance may pull.
func onFargate(b backend) bool {
	return b.clone.Service.LaunchType == ecstypes.LaunchTypeFargate ||
		slices.ContainsFunc(b.clone.Service.CapacityProviderStrategy, func(p ecstypes.CapacityProviderStrategyItem) bool {
			return strings.HasPrefix(aws.ToString(p.CapacityProvider), "FARGATE")
		})
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
	if boundary := d.Prefix + "-preview-boundary"; first && !r.execution && !d.Catalog.Services[name].SharesBaselineTaskRole &&
		(out.Role.PermissionsBoundary == nil || !strings.HasSuffix(aws.ToString(out.Role.PermissionsBoundary.PermissionsBoundaryArn), ":policy/"+boundary)) {
		s.warns("role-without-boundary", name, fmt.Sprintf("%s does not have the boundary %s, which the first deployment makes.", r.arn, boundary),
			fmt.Sprintf("aws iam put-role-permissions-boundary --role-name %s --permissions-boundary arn:aws:iam::%s:policy/%s", aws.ToString(out.Role.RoleName), d.account, boundary))
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

// need is what a role has to be allowed for a preview to work.
type need struct {
	name, seen string // of the finding, when it is not
	actions    []string
	resource   string
}

// needsOf are those of a role of a service's preview.
func (d *doctor) needsOf(name string, b backend, r role) []need {
	arn := func(service, resource string) string {
		return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, d.region, d.account, resource)
	}
	var needs []need
	if !r.execution {
		for _, queue := range slices.Sorted(maps.Values(d.Catalog.Services[name].Consumes)) {
			needs = append(needs, need{
				"role-cannot-consume", "a preview that is provisioned with queues would look well and consume nothing",
				[]string{"sqs:ReceiveMessage", "sqs:DeleteMessage"}, arn("sqs", d.Prefix+"-pr1-"+queue+"-1"),
			})
		}
		return needs
	}
	const pull, unstarted = "role-cannot-pull", "the task of a preview would not start"
	needs = append(needs,
		need{pull, unstarted, []string{"ecr:GetAuthorizationToken"}, "*"}, // a baseline of another registry does without
		need{pull, unstarted, []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, arn("ecr", "repository/"+d.Prefix+"/"+name)})
	for _, c := range b.clone.TaskDefinition.ContainerDefinitions {
		for _, secret := range c.Secrets {
			from, action := aws.ToString(secret.ValueFrom), "ssm:GetParameters"
			if strings.Contains(from, ":secretsmanager:") {
				// …:secret:<name>, and which key and version of it.
				action, from = "secretsmanager:GetSecretValue", strings.Join(strings.SplitN(from+":::", ":", 8)[:7], ":")
			} else if !strings.HasPrefix(from, "arn:") {
				from = arn("ssm", "parameter/"+strings.TrimPrefix(from, "/"))
			}
			needs = append(needs, need{"role-cannot-read-secret", unstarted, []string{action}, from})
		}
	}
	return needs
}

// may asks IAM whether a role may do what it has to: a role that is bound to the
// baseline's repository or queues may not.
func (d *doctor) may(ctx context.Context, s *sheet, name string, r role, n need) {
	out, err := d.IAM.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &r.arn, ActionNames: n.actions, ResourceArns: []string{n.resource},
	})
	if err != nil {
		s.unknown(name, err)
		return
	}
	var denied []string
	for _, result := range out.EvaluationResults {
		if result.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed {
			denied = append(denied, aws.ToString(result.EvalActionName))
		}
	}
	if len(denied) == 0 {
		return
	}
	seen := fmt.Sprintf("%s may not do %s on %s: %s.", r.arn, strings.Join(denied, ", "), n.resource, n.seen)
	do := fmt.Sprintf("aws iam put-role-policy --role-name %s --policy-name %s "+
		`--policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["%s"],"Resource":"%s"}]}'`,
		r.arn[strings.LastIndex(r.arn, "/")+1:], "preview-"+strings.TrimPrefix(n.name, "role-cannot-"), strings.Join(denied, `","`), d.every(n.resource))
	if n.name == "role-cannot-consume" {
		s.warns(n.name, name, seen, do+" (or the queue's own policy allows it.)")
		return
	}
	s.fails(n.name, name, seen, do)
}

// every is the resource of all previews, of which one was asked about.
func (d *doctor) every(resource string) string {
	return strings.Replace(resource, ":"+d.Prefix+"-pr1-", ":"+d.Prefix+"-*-", 1)
}
