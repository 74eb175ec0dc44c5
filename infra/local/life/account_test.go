package life

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// settled is a line of the report on a time in which nothing changes, with its wrong
// answers.
var settled = regexp.MustCompile(`(?m)^\| (?:[a-z]+ ready|gone) \| [^|]+ \| [^|]+ \| (\d+) \|`)

// TestASmokeRunIsGoodWheneverNothingChanges says nothing of the moments of a change:
// there an edge that was not told yet may lead past a rule that is not there, or is no
// more, to the baseline, and the report says so.
func TestASmokeRunIsGoodWheneverNothingChanges(t *testing.T) {
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
			text, _ := onTheStack(t, append([]string{"smoke", "--report", report}, c.args...)...)
			data, err := os.ReadFile(report)
			if err != nil {
				t.Fatalf("it says (%v):\n%s", err, text)
			}
			written := string(data)
			lines := settled.FindAllStringSubmatch(written, -1)
			if len(lines) == 0 {
				t.Error("no answer was counted while nothing changed")
			}
			for _, line := range lines {
				if line[1] != "0" {
					t.Errorf("%s answers are wrong: %s", line[1], line[0])
				}
			}
			for _, part := range append(c.has, "each verified gone") {
				if !strings.Contains(written, part) {
					t.Errorf("the report lacks %q", part)
				}
			}
			if t.Failed() {
				t.Logf("%s\n%s", text, written)
			}
			if diff := cmp.Diff(before, inventory(t)); diff != "" {
				t.Errorf("it left something (-before +after):\n%s", diff)
			}
		})
	}
}
