package step

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/record"
	"previewenv/statemachine"
)

// waits are the outputs that were sent for task tokens.
type waits map[string]string

func (w waits) SendTaskSuccess(_ context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error) {
	w[*in.TaskToken] = *in.Output
	return &sfn.SendTaskSuccessOutput{}, nil
}

func (w waits) SendTaskFailure(_ context.Context, in *sfn.SendTaskFailureInput, _ ...func(*sfn.Options)) (*sfn.SendTaskFailureOutput, error) {
	w[*in.TaskToken] = *in.Error
	return &sfn.SendTaskFailureOutput{}, nil
}

// TestAHoldThatIsTriedAgainSeesWhatCameMeanwhile has an execution at revision 3 that
// stores a second token: the attempt that stored the first had failed.
func TestAHoldThatIsTriedAgainSeesWhatCameMeanwhile(t *testing.T) {
	client, table := awstest.Table(t, awstest.Config(t))
	records := record.New(client, table)
	for name, c := range map[string]struct {
		env  record.Environment
		want string // sent for the token
	}{
		"nothing": {record.Environment{State: record.Ready, Revision: 3, Execution: "arn:hold", TaskToken: "first"}, ""},
		"a clean-up that told the first attempt": {
			record.Environment{State: record.CleaningUp, Revision: 4, Execution: "arn:hold", TaskToken: "first"},
			`{"environment":"pr1","revision":4,"decision":"cleanup","seconds":1}`,
		},
		"a clean-up by an execution of its own": {
			record.Environment{State: record.CleaningUp, Revision: 4, Execution: "arn:other"},
			`{"environment":"pr1","revision":3,"decision":"superseded","seconds":1}`,
		},
		"a newer commit": {
			record.Environment{State: record.Building, Revision: 4, Execution: "arn:other"},
			`{"environment":"pr1","revision":3,"decision":"superseded","seconds":1}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			set := c.env
			if _, err := records.Change(t.Context(), "pr1", func(env *record.Environment) error {
				set.Name, set.Item, set.Version, set.ExpiresAt = env.Name, env.Item, env.Version, time.Now().Add(time.Hour)
				*env = set
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			sent := waits{}
			hold := &Hold{Records: records, SFN: sent, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			if _, err := hold.Run(t.Context(), statemachine.HoldInput{
				Op: statemachine.HoldStoreToken, Environment: "pr1", Revision: 3, Execution: "arn:hold", TaskToken: "second",
			}); err != nil {
				t.Fatal(err)
			}
			if sent["second"] != c.want {
				t.Errorf("the wait is ended with %q, want %q", sent["second"], c.want)
			}
			env, _, err := records.Get(t.Context(), "pr1")
			if kept := env.TaskToken == "second"; err != nil || kept != (c.want == "") {
				t.Errorf("the token is kept: %v (%v)", kept, err)
			}
		})
	}
}
