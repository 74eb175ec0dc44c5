package step

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"previewenv/lambdas/catalog"
	"previewenv/statemachine"
)

func TestWhatTheBaselineDoesNotBearIsSaidBeforeABuild(t *testing.T) {
	const own, baselines, starts = "arn:aws:iam::1:role/preview/a", "arn:aws:iam::1:role/staging/a", "arn:aws:iam::1:role/staging-execution"
	arm := &ecstypes.RuntimePlatform{CpuArchitecture: ecstypes.CPUArchitectureArm64}
	for rule, test := range map[string]struct {
		service    catalog.Service
		definition ecstypes.TaskDefinition
		passable   []string
		want       string // in the one fault; empty is none
	}{
		"neither says an architecture":         {},
		"both say arm64":                       {service: catalog.Service{Build: catalog.Build{Architecture: "arm64"}}, definition: ecstypes.TaskDefinition{RuntimePlatform: arm}},
		"a platform without architecture":      {definition: ecstypes.TaskDefinition{RuntimePlatform: &ecstypes.RuntimePlatform{}}},
		"an ARM image for a baseline of x86":   {service: catalog.Service{Build: catalog.Build{Architecture: "arm64"}}, want: "a is built for arm64, and runs on x86_64"},
		"an x86 image for a baseline of ARM":   {definition: ecstypes.TaskDefinition{RuntimePlatform: arm}, want: "a is built for x86_64, and runs on arm64"},
		"a role of its own":                    {service: catalog.Service{PreviewTaskRole: own}, definition: ecstypes.TaskDefinition{TaskRoleArn: aws.String(baselines)}},
		"no role for previews":                 {definition: ecstypes.TaskDefinition{TaskRoleArn: aws.String(baselines)}, want: "there is none for its previews"},
		"the baseline's own role":              {service: catalog.Service{PreviewTaskRole: baselines}, definition: ecstypes.TaskDefinition{TaskRoleArn: aws.String(baselines)}, want: "the baseline's own task role"},
		"the baseline's own role, knowingly":   {service: catalog.Service{PreviewTaskRole: baselines, SharesBaselineTaskRole: true}, definition: ecstypes.TaskDefinition{TaskRoleArn: aws.String(baselines)}},
		"shared, but another role":             {service: catalog.Service{PreviewTaskRole: own, SharesBaselineTaskRole: true}, definition: ecstypes.TaskDefinition{TaskRoleArn: aws.String(baselines)}, want: "previewTaskRole is another"},
		"an execution role of its own":         {service: catalog.Service{PreviewExecutionRole: own}, definition: ecstypes.TaskDefinition{ExecutionRoleArn: aws.String(starts)}},
		"the baseline's execution role":        {definition: ecstypes.TaskDefinition{ExecutionRoleArn: aws.String(starts)}, passable: []string{starts}},
		"an execution role that is not listed": {definition: ecstypes.TaskDefinition{ExecutionRoleArn: aws.String(starts)}, passable: []string{own}, want: starts + ", which previews may not be given"},
	} {
		t.Run(rule, func(t *testing.T) {
			got := misfits("a", test.service, test.definition, test.passable)
			if test.want == "" {
				if len(got) > 0 {
					t.Errorf("refused: %v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Name != statemachine.ErrNoBaseline || !strings.Contains(got[0].What, test.want) || got[0].Next == "" {
				t.Errorf("got %v, want one with %q", got, test.want)
			}
		})
	}
}
