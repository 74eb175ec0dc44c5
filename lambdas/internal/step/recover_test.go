package step

import (
	"testing"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

func TestAStepThatIsLateIsToldByWhatItsServicesWaitFor(t *testing.T) {
	in := statemachine.RecoverInput{Environment: "pr1", Revision: 3}
	in.Error.Error = "States.Timeout"
	own := fault.New(statemachine.ErrBuildFailed, "exit 1.")
	for name, c := range map[string]struct {
		services []record.Service
		want     string
	}{
		"one": {
			[]record.Service{{Name: "a", Revision: 3, State: record.ServiceBuilding}, {Name: "b", Revision: 3, State: record.ServiceReady}},
			"a: build: A step did not end in time: a was being built.",
		},
		"several": {
			[]record.Service{{Name: "a", Revision: 3, State: record.ServiceQueued}, {Name: "b", Revision: 3, State: record.ServiceDeploying}},
			"A step did not end in time: a waited for its build, b was being deployed.",
		},
		"not those of another revision": {
			[]record.Service{{Name: "a", Revision: 2, State: record.ServiceBuilding}},
			"A step did not end in time.",
		},
		"a fault of its own is better": {
			[]record.Service{{Name: "a", Revision: 3, State: record.ServiceFailed, Fault: own}},
			"exit 1.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := faultOf(c.services, in)
			f.Next = ""
			if f.Error() != c.want {
				t.Errorf("it says %q, want %q", f.Error(), c.want)
			}
		})
	}
}
