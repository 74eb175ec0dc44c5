package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"previewenv/statemachine"
)

// start asks for a commit and returns the execution that does it.
func (r *run) start(ctx context.Context, act, commit string) (arn string, err error) {
	var services []string
	for name := range r.Services {
		services = append(services, name)
	}
	slices.Sort(services)
	if r.Door == "" {
		return r.execute(ctx, act, statemachine.Request{CommitID: commit, ServicesToProvision: services, Environment: r.Label})
	}
	if err := r.note(ctx); err != nil {
		return "", err
	}
	if err := r.command(ctx, "/provisionenv", commit+" "+strings.Join(services, " ")+" --as "+r.Label); err != nil {
		return "", err
	}
	for range 30 {
		arns, err := r.executions(ctx)
		if err != nil {
			return "", err
		}
		for _, arn := range arns {
			if !r.known[arn] {
				return arn, nil
			}
		}
		if err := r.pause(ctx, r.Poll); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: the door took the command, and no execution of %s was started", act, r.Label)
}

// remove asks for the end, and returns the execution that was started for it, if that
// is known.
func (r *run) remove(ctx context.Context) (string, error) {
	if r.Door == "" {
		return r.execute(ctx, "clean-up", statemachine.Request{Action: statemachine.ActionCleanUp, Environment: r.Label})
	}
	return "", r.command(ctx, "/cleanupenv", r.Label)
}

func (r *run) execute(ctx context.Context, act string, request statemachine.Request) (string, error) {
	input, err := json.Marshal(request)
	if err != nil {
		return "", err
	}
	out, err := r.sfn.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &r.StateMachine, Input: aws.String(string(input)),
		Name: aws.String(fmt.Sprintf("%s-%s-%d", r.Label, act, time.Now().Unix())),
	})
	if err != nil {
		return "", fmt.Errorf("%s: start execution: %w", act, err)
	}
	return aws.ToString(out.ExecutionArn), nil
}

// note remembers the executions of the label that are there.
func (r *run) note(ctx context.Context) error {
	arns, err := r.executions(ctx)
	r.known = map[string]bool{}
	for _, arn := range arns {
		r.known[arn] = true
	}
	return err
}

// executions are those of the label in this life, the newest first.
func (r *run) executions(ctx context.Context) ([]string, error) {
	out, err := r.sfn.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &r.StateMachine, MaxResults: 100})
	if err != nil {
		return nil, fmt.Errorf("list executions: %w", err)
	}
	var arns []string
	for _, e := range out.Executions {
		// AWS's clock may be a little behind this one.
		if strings.HasPrefix(aws.ToString(e.Name), r.Label+"-") && aws.ToTime(e.StartDate).After(r.report.Began.Add(-5*time.Second)) {
			arns = append(arns, aws.ToString(e.ExecutionArn))
		}
	}
	return arns, nil
}

// command types a slash command at the door.
func (r *run) command(ctx context.Context, name, text string) error {
	body := url.Values{
		"command": {name}, "text": {text}, "user_id": {"USMOKE"}, "user_name": {"smoke"}, "channel_id": {r.Channel},
		"trigger_id": {strconv.FormatInt(time.Now().UnixNano(), 10)}, "response_url": {"https://127.0.0.1:1/"},
	}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Door, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Slack-Request-Timestamp", now)
	request.Header.Set("X-Slack-Signature", r.Sign(now, []byte(body)))
	response, err := r.Client.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: the door answers %s: %s", name, response.Status, answer)
	}
	var said struct{ Text string }
	_ = json.Unmarshal(answer, &said) // an empty answer says nothing
	r.Tell("%s: the door says: %s", name, strings.Join(strings.Fields(said.Text), " "))
	return nil
}

// State is one state of an execution that has ended.
type State struct {
	Name, Service   string
	Entered, Exited time.Time
}

// history are the states of an execution that have ended so far.
func (r *run) history(ctx context.Context, arn string) ([]State, error) {
	var events []types.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(r.sfn, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, MaxResults: 1000})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		events = append(events, page.Events...)
	}
	return statesOf(events), nil
}

// statesOf pairs each exit with its entry, back along the events.
func statesOf(events []types.HistoryEvent) []State {
	byID := map[int64]types.HistoryEvent{}
	for _, e := range events {
		byID[e.Id] = e
	}
	var states []State
	for _, e := range events {
		if e.StateExitedEventDetails == nil {
			continue
		}
		name := aws.ToString(e.StateExitedEventDetails.Name)
		for back, ok := byID[e.PreviousEventId]; ok; back, ok = byID[back.PreviousEventId] {
			if d := back.StateEnteredEventDetails; d != nil && aws.ToString(d.Name) == name {
				var input struct{ Service string }
				_ = json.Unmarshal([]byte(aws.ToString(d.Input)), &input) // not every state has one
				states = append(states, State{Name: name, Service: input.Service, Entered: aws.ToTime(back.Timestamp), Exited: aws.ToTime(e.Timestamp)})
				break
			}
			if back.PreviousEventId >= back.Id {
				break
			}
		}
	}
	return states
}

// ended says how an execution ended; empty while it runs.
func (r *run) ended(ctx context.Context, arn string) (string, error) {
	out, err := r.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return "", fmt.Errorf("describe execution: %w", err)
	}
	if out.Status == types.ExecutionStatusRunning {
		return "", nil
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))), nil
}

// ending is how a removal stands.
type ending struct {
	gone, running bool
	arn           string // of the execution that ended it
	text          string // the receipt, or how the executions ended
}

// removal looks for the receipt among the executions of the label: a clean-up may be
// done by its own execution, or by the one that holds the environment.
func (r *run) removal(ctx context.Context, started string) (ending, error) {
	arns, err := r.executions(ctx)
	if err != nil {
		return ending{}, err
	}
	if started != "" && !slices.Contains(arns, started) {
		arns = append(arns, started)
	}
	var all ending
	for _, arn := range arns {
		one, err := r.receipt(ctx, arn)
		if err != nil || one.gone {
			return one, err
		}
		all.running = all.running || one.running
		all.text = strings.TrimPrefix(all.text+"; "+one.text, "; ")
	}
	return all, nil
}

// receipt is what an execution says of the removal, if it has ended with one.
func (r *run) receipt(ctx context.Context, arn string) (ending, error) {
	out, err := r.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return ending{}, fmt.Errorf("describe execution: %w", err)
	}
	end := ending{arn: arn, running: out.Status == types.ExecutionStatusRunning}
	end.text = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", aws.ToString(out.Name), out.Status, aws.ToString(out.Error), aws.ToString(out.Cause)))
	switch failed := aws.ToString(out.Error); {
	case out.Status == types.ExecutionStatusSucceeded:
		var output statemachine.CleanUpOutput
		if json.Unmarshal([]byte(aws.ToString(out.Output)), &output) == nil && output.Outcome == statemachine.Gone {
			end.gone, end.text = true, output.Report
		}
	case failed == string(statemachine.LeftBehind):
		return end, errors.New("clean-up: something is left behind: " + aws.ToString(out.Cause))
	case failed == string(statemachine.RolledBack):
		end.gone, end.text = true, "rolled back: "+aws.ToString(out.Cause)
	}
	return end, nil
}
