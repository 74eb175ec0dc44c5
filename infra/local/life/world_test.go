// Package life plays whole lives through the local stack, as its users would: by
// Slack's commands, executions of the state machine and the environments' URLs.
package life

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"previewenv/infra/local/faults"
	"previewenv/infra/local/manner"
	"previewenv/infra/local/slack"
	"previewenv/infra/local/stack"
)

const (
	patience = 2 * time.Minute
	// atOnce is how many tests run side by side: a life mostly waits.
	atOnce = 6
)

// world is the one stack of this test binary: starting it takes longer than most
// lives. endpoint plays faults on it, and lists what it has.
var (
	world    *stack.Stack
	endpoint *faults.World
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	root, err := filepath.Abs("../../..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, release, err := stack.Claim(filepath.Join(root, ".local", "life"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer release()
	settings, err := faults.Catalog(root)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	manners, err := manner.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	world, err = stack.Start(context.Background(), stack.Options{
		Root: root, Dir: dir, AnyPort: true, Catalog: settings, BuildTimeout: 25 * time.Second, Running: 8, Spread: true,
		Manners: manners,
		Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Tell:    func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start local stack:", err)
		return 1
	}
	endpoint = faults.New(world)
	if err := sideBySide(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	recorded := &calls{seen: map[string]bool{}}
	world.Edge.Observe(recorded.observe)
	asked := witness(world)
	code := m.Run()
	if found, err := world.SecretsInLogs(); err != nil || len(found) > 0 {
		fmt.Fprintln(os.Stderr, "logs hold secrets:", found, err)
		code = 1
	}
	if found, _ := world.Violations(0); len(found) > 0 {
		fmt.Fprintf(os.Stderr, "AWS's models do not allow %d calls or answers, such as: %s\n", len(found), found[0])
		code = 1
	}
	if code == 0 {
		if err := recorded.compare(root, flag.Lookup("test.run").Value.String() == ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if code == 0 {
		if err := compareAccess(root, asked, flag.Lookup("test.run").Value.String() == ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := world.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "close local stack:", err)
	}
	return code
}

// sideBySide runs more tests at once than there are processors, unless the command
// line says how many.
func sideBySide() error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(atOnce))
}

// command types a slash command in a channel of the test's own.
func command(t testing.TB, name, text string) slack.Answer {
	t.Helper()
	answer, err := typed(t, personOf(t), name, text)
	if err != nil {
		t.Fatalf("%s %s: %v", name, text, err)
	}
	return answer
}

// typed types a command, and types it again if Slack gives up: a machine that does
// much else may take more than the 3 s that Slack waits, and the same command again
// is the same request.
func typed(t testing.TB, who, name, text string) (slack.Answer, error) {
	judged(t)
	const times = 5
	var answer slack.Answer
	var err error
	for range times {
		if answer, err = world.Slack.Command(t.Context(), who, channelOf(t), name, text); !errors.Is(err, slack.ErrTimeout) {
			break
		}
	}
	return answer, err
}

// channelOf keeps the messages of tests apart, and personOf their people, who may
// have three environments each.
func channelOf(t testing.TB) string {
	test, _, _ := strings.Cut(t.Name(), "/")
	return "C0TESTS" + numberOf(test)
}

func personOf(t testing.TB) string { return "U0TESTER" + numberOf(t.Name()) }

func numberOf(name string) string {
	sum := 0
	for _, r := range name {
		sum = (sum*31 + int(r)) % 1_000_000
	}
	return fmt.Sprintf("%06d", sum)
}

// message is the newest status message about an environment.
func message(t testing.TB, label string) slack.Message {
	t.Helper()
	messages := world.Slack.Messages(channelOf(t))
	for i := len(messages) - 1; i >= 0; i-- {
		if strings.HasPrefix(messages[i].Text, label+" is ") {
			return messages[i]
		}
	}
	return slack.Message{}
}

// until waits for the status message of an environment to say a state, in words
// that were not there before since.
func until(t testing.TB, label, state string, since slack.Message) slack.Message {
	t.Helper()
	tidy(t, label)
	judged(t, label)
	deadline := time.Now().Add(patience)
	for {
		m := message(t, label)
		if strings.HasPrefix(m.Text, label+" is "+state) && (m.TS != since.TS || m.Edits > since.Edits) {
			if state == "gone" {
				world.Store.Settle(t.Context()) // a removal is shown some seconds later
			}
			return m
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not %s after %s; its message says %q\n%s", label, state, patience, m.Text, m.Blocks)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// provision asks in Slack and waits until it is ready.
func provision(t testing.TB, label, text string) {
	t.Helper()
	tidy(t, label)
	before := message(t, label)
	answer := command(t, "/provisionenv", text)
	if !strings.Contains(answer.Text, world.URL(label)) {
		t.Fatalf("/provisionenv %s: the answer %q lacks the URL %s", text, answer.Text, world.URL(label))
	}
	until(t, label, "ready", before)
}

// remove cleans an environment up and returns its receipt.
func remove(t testing.TB, label string) slack.Message {
	t.Helper()
	before := message(t, label)
	command(t, "/cleanupenv", label)
	receipt := until(t, label, "gone", before)
	oneMessage(t, label)
	return receipt
}

type page struct {
	Status int
	Header http.Header
	Body   string
}

// JSON decodes the body.
func (p page) JSON(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(p.Body), &v); err != nil {
		t.Fatalf("decode %q: %v", p.Body, err)
	}
	return v
}

func getOnce(t testing.TB, url string) page {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := world.Client.Do(req)
	if err != nil {
		t.Fatalf("get %s: %v", url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return page{resp.StatusCode, resp.Header, string(body)}
}

// execute starts an execution as any AWS client would.
func execute(t testing.TB, input string) string {
	t.Helper()
	judged(t)
	out, err := sfn.NewFromConfig(world.Config).StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &world.Info.StateMachineARN, Input: &input, Name: aws.String(fmt.Sprintf("test-%d", time.Now().UnixNano())),
	})
	if err != nil {
		t.Fatalf("start execution: %v", err)
	}
	return aws.ToString(out.ExecutionArn)
}

// ended waits for the end of an execution.
func ended(t testing.TB, arn string) *sfn.DescribeExecutionOutput {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		out, err := sfn.NewFromConfig(world.Config).DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			t.Fatalf("describe execution: %v", err)
		}
		if out.Status != sfntypes.ExecutionStatusRunning {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("execution %s still runs after %s", arn, patience)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// serves waits until a URL is answered as an override.
func serves(t testing.TB, url, service string) page {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		p := get(t, url)
		if p.Header.Get("x-preview-service") == service && p.Header.Get("x-preview-source") == "override" && p.Status == http.StatusOK {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not served by an override of %s after %s; it answers %d %v %s", url, service, patience, p.Status, p.Header, p.Body)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
