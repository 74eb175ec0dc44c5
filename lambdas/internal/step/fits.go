package step

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// misfits are what the catalog says of a service and the running baseline does not
// bear: found now, before a build of minutes has ended.
func misfits(name string, s catalog.Service, definition ecstypes.TaskDefinition, executionRoles []string) fault.List {
	var faults fault.List
	say := func(next, format string, args ...any) {
		faults = append(faults, fault.New(statemachine.ErrNoBaseline, "The catalog and the baseline do not agree: "+format, args...).
			WithNext("The platform team %s; nothing was started.", next))
	}
	if runs := architectureOf(definition); runs != s.Build.For() {
		say("writes architecture: "+runs+" below services."+name+".build", "%s is built for %s, and runs on %s.", name, s.Build.For(), runs)
	}
	task := aws.ToString(definition.TaskRoleArn)
	switch {
	case task != "" && s.PreviewTaskRole == "":
		say("makes a role for previews of "+name+", with the boundary, and names it as previewTaskRole", "%s runs with a task role, and there is none for its previews.", name)
	case task != "" && s.PreviewTaskRole == task && !s.SharesBaselineTaskRole:
		say("makes a role of its own for them, or writes sharesBaselineTaskRole: true", "previews of %s would run with the baseline's own task role.", name)
	case s.SharesBaselineTaskRole && s.PreviewTaskRole != task:
		say("names the baseline's role, or takes sharesBaselineTaskRole out", "previews of %s share the baseline's task role, but previewTaskRole is another.", name)
	}
	execution := aws.ToString(definition.ExecutionRoleArn)
	if execution != "" && s.PreviewExecutionRole == "" && !slices.Contains(executionRoles, execution) {
		say("lists it in installation.executionRoles, or names a previewExecutionRole", "%s starts with the execution role %s, which previews may not be given.", name, execution)
	}
	return faults
}

// architectureOf is that of a task definition; one that says none is x86_64
// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html).
func architectureOf(definition ecstypes.TaskDefinition) string {
	if p := definition.RuntimePlatform; p != nil && p.CpuArchitecture != "" {
		return strings.ToLower(string(p.CpuArchitecture))
	}
	return catalog.X86
}
