package life

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// program is the command that people run on an account, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "account")
	if err != nil {
		return "", err
	}
	built := filepath.Join(dir, "account")
	build := exec.Command("go", "build", "-o", built, "./infra/account")
	build.Dir = "../../.."
	build.Stderr = os.Stderr
	return built, build.Run()
})

// onTheStack runs the command on the stack of these tests.
func onTheStack(t *testing.T, args ...string) (output string, ok bool) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("build the command: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stack.json"), []byte(world.Info.JSON()), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, append(args, "--local", dir)...)
	data, err := command.CombinedOutput()
	return string(data), err == nil
}

func TestTheDoctorFindsTheLocalStackSoundUntilItIsDamaged(t *testing.T) {
	if text, ok := onTheStack(t, "doctor"); !ok || strings.Contains(text, "FAILS") {
		t.Fatalf("the doctor says of the local stack:\n%s", text)
	}
	client := elb.NewFromConfig(world.Config)
	group := world.Seeded.TargetGroups["service2"]
	rule, err := client.CreateRule(t.Context(), &elb.CreateRuleInput{
		ListenerArn: &world.Seeded.Listener, Priority: aws.Int32(900),
		Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: []string{"/service1/*"}}}},
		Actions:    []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, ok := onTheStack(t, "doctor")
	if _, err := client.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: rule.Rules[0].RuleArn}); err != nil {
		t.Fatal(err)
	}
	if ok || !strings.Contains(text, "FAILS") || !strings.Contains(text, "shadow: The rule 900") {
		t.Errorf("the doctor says of a rule that shadows overrides:\n%s", text)
	}
}

func TestASmokeRunIsGood(t *testing.T) {
	cases := []struct {
		name string
		args []string
		has  []string
	}{
		{"through the door, with an update", []string{"--label", "smoke"}, []string{
			"by Slack's door", "| update ready | service1 |", "| gone | web |",
			"| provision | build of service1 |", "| provision | task of service1 |", "| provision | KeyValueStore → edge, service1 |",
		}},
		{"by executions", []string{"--label", "smoked", "--executions", "--services", "service2", "--update", "none"}, []string{
			"by executions of the state machine", "| provision ready | service2 |", "| gone | service2 |",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := inventory(t)
			report := filepath.Join(t.TempDir(), "smoke.md")
			text, ok := onTheStack(t, append([]string{"smoke", "--report", report}, c.args...)...)
			written, err := os.ReadFile(report)
			if err != nil || !ok || !strings.HasPrefix(string(written), "# Smoke: good\n") {
				t.Fatalf("it says (%v):\n%s\n%s", err, text, written)
			}
			t.Logf("%s", written)
			for _, part := range append(c.has, "each verified gone", "wrong: 0") {
				if !strings.Contains(string(written), part) {
					t.Errorf("the report lacks %q", part)
				}
			}
			if diff := cmp.Diff(before, inventory(t)); diff != "" {
				t.Errorf("it left something (-before +after):\n%s", diff)
			}
		})
	}
}
