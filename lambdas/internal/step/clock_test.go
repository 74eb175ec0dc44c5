package step

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

// commits is a GitHub that has every commit, and no pull request.
type commits struct{}

func (commits) Commit(_ context.Context, _, ref string) (string, error)  { return ref, nil }
func (commits) PullRequest(context.Context, string, string) (int, error) { return 0, nil }
func (commits) Head(context.Context, string, int) (string, error)        { return "", nil }
func commit(digit string) string                                         { return strings.Repeat(digit, 40) }
func frontends(_ context.Context, _ ...string) (map[string]catalog.Service, error) {
	return map[string]catalog.Service{"web": {Repository: "shop", Frontend: &catalog.Frontend{Output: "dist"}}}, nil
}

// lives is a door and a plan with a clock that can be moved, on a table of the emulator.
type lives struct {
	now     time.Time
	client  *awstest.Atomic
	records *record.Store
	machine *machine
	door    *Door
	extract *Extract
	cleanUp *CleanUp
}

func newLives(t *testing.T) *lives {
	t.Helper()
	client, table := awstest.Table(t, awstest.Config(t))
	l := &lives{now: time.Date(2027, time.March, 1, 9, 0, 0, 0, time.UTC), client: client}
	clock := func() time.Time { return l.now }
	l.records = record.New(client, table)
	l.records.Now = clock
	l.machine = &machine{waits: waits{}, now: clock, named: map[string]*started{}}
	settings := func(context.Context) (*catalog.Settings, error) {
		return &catalog.Settings{
			BaseDomain: "preview.example.com", Label: "pr{{pullRequest}}",
			Baseline:     catalog.Baseline{Host: "staging.example.com"},
			Lifetime:     catalog.Lifetime{Default: catalog.Duration(time.Hour), Max: catalog.Duration(24 * time.Hour)},
			Repositories: map[string]catalog.Repository{"shop": {GitHub: "acme/shop"}},
			Services:     []catalog.Entry{{Name: "web", Frontend: true, Repository: "shop"}},
		}, nil
	}
	quiet := slog.New(slog.DiscardHandler)
	names := config.Names{Prefix: "pv", PreviewURL: "https://{label}.preview.example.com"}
	l.door = &Door{
		Config: config.Door{Names: names, StateMachine: machineARN}, Settings: settings, Services: frontends, GitHub: commits{},
		Records: l.records, SFN: l.machine, Now: clock, Log: quiet,
	}
	l.extract = &Extract{
		Settings: settings, Services: frontends, GitHub: commits{}, Records: l.records, SFN: l.machine, Log: quiet,
		Planner: &Planner{Config: config.Plan{Names: names}, Services: frontends, Records: l.records},
	}
	l.cleanUp = &CleanUp{Records: l.records, Patience: time.Minute, Now: clock, Log: quiet}
	return l
}

func (l *lives) ask(t *testing.T, sha string) error {
	t.Helper()
	wish, faults := slack.ParseProvision(sha + " web --as demo")
	wish.Request.RequestedBy, wish.Request.Channel = "U1", "C1"
	_, err := l.door.provision(t.Context(), wish, faults)
	return err
}

// running is the one execution that has not closed.
func (l *lives) running(t *testing.T) (name string, input json.RawMessage) {
	t.Helper()
	for candidate, e := range l.machine.named {
		if !e.closed.IsZero() {
			continue
		}
		if name != "" {
			t.Fatalf("both %s and %s run", name, candidate)
		}
		name, input = candidate, json.RawMessage(e.input)
	}
	if name == "" {
		t.Fatal("nothing was started")
	}
	return name, input
}

// live asks for a commit and plays its execution until it is ready.
func (l *lives) live(t *testing.T, sha string) record.Life {
	t.Helper()
	if err := l.ask(t, sha); err != nil {
		t.Fatalf("provision = %v", err)
	}
	name, input := l.running(t)
	plan, err := l.extract.Run(t.Context(), statemachine.ExtractInput{Op: statemachine.PlanExtract, Request: input, Execution: executionARN(name)})
	if err != nil {
		t.Fatalf("ExtractConfigurations = %v", err)
	}
	life := l.load(t)
	for _, row := range life.Resources {
		if row.Revision != plan.Revision {
			continue
		}
		row.State, row.ID = record.Present, "id-of-"+row.Name
		if err := l.records.PutResource(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	if err := MarkReady(l.records, l.door.Log)(t.Context(), life.Environment); err != nil {
		t.Fatal(err)
	}
	return l.load(t)
}

// die removes what lives, and closes its execution.
func (l *lives) die(t *testing.T) record.Environment {
	t.Helper()
	name, _ := l.running(t)
	env, err := l.records.Change(t.Context(), "demo", func(env *record.Environment) error {
		return record.ClaimRemoval(env, executionARN(name), "it was asked to")
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range l.load(t).Resources {
		if row.State == record.Closed {
			continue
		}
		row.State = record.Closed
		if err := l.records.PutResource(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.cleanUp.Run(t.Context(), statemachine.CleanUpInput{Environment: "demo", Revision: env.Revision, Scope: statemachine.ScopeAll}); err != nil {
		t.Fatal(err)
	}
	l.machine.named[name].closed = l.now
	return l.load(t).Environment
}

func (l *lives) load(t *testing.T) record.Life {
	t.Helper()
	life, _, err := l.records.Load(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	return life
}

// rows are the sort keys of the label's rows, with the time at which DynamoDB may
// delete each; 0 is never.
func (l *lives) rows(t *testing.T) map[string]string {
	t.Helper()
	out, err := l.client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &l.records.Table, KeyConditionExpression: aws.String("environment = :name"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":name": &types.AttributeValueMemberS{Value: "demo"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, item := range out.Items {
		rows[item["item"].(*types.AttributeValueMemberS).Value] = "0"
		if ttl, ok := item["ttl"].(*types.AttributeValueMemberN); ok {
			rows[item["item"].(*types.AttributeValueMemberS).Value] = ttl.Value
		}
	}
	return rows
}

func (l *lives) forget(t *testing.T, item string) {
	t.Helper()
	if _, err := l.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &l.records.Table, Key: map[string]types.AttributeValue{
		"environment": &types.AttributeValueMemberS{Value: "demo"}, "item": &types.AttributeValueMemberS{Value: item},
	}}); err != nil {
		t.Fatal(err)
	}
}

// TestALabelComesBackWhateverIsLeftOfItsRows plays two lives of a label with 31 days
// between them, for every set of rows that DynamoDB may have deleted by then: it
// deletes each row by itself, in any order, within days of its time.
func TestALabelComesBackWhateverIsLeftOfItsRows(t *testing.T) {
	items := []string{"ENVIRONMENT", "SERVICE#web", "RESOURCE#frontend#web-111111111111", "RESOURCE#route#demo"}
	for set := range 1 << len(items) {
		var gone []string
		for i, item := range items {
			if set&(1<<i) != 0 {
				gone = append(gone, item)
			}
		}
		t.Run("gone: "+strings.Join(gone, " "), func(t *testing.T) {
			l := newLives(t)
			first := l.live(t, commit("1"))
			closed := l.die(t)
			for _, item := range items {
				if at, there := l.rows(t)[item]; !there || at == "0" {
					t.Errorf("%s is kept for ever (%v)", item, there)
				}
			}
			for _, item := range gone {
				l.forget(t, item)
			}
			l.now = l.now.Add(31 * 24 * time.Hour)

			again := l.live(t, commit("2"))
			if again.Environment.State != record.Ready || again.Environment.Incarnation <= first.Environment.Incarnation || again.Environment.Revision <= closed.Revision {
				t.Errorf("it is %s, life %d after %d, revision %d after %d", again.Environment.State,
					again.Environment.Incarnation, first.Environment.Incarnation, again.Environment.Revision, closed.Revision)
			}
			route := again.Resource("route/demo")
			if route == nil || !strings.Contains(route.Spec, commit("2")) || route.Incarnation != again.Environment.Incarnation {
				t.Errorf("the route works by %+v", route)
			}
			if s := again.Service("web"); s == nil || s.Commit != commit("2") || s.State != record.ServiceReady || s.TTL != 0 {
				t.Errorf("the service is %+v", s)
			}
			ended := l.die(t)
			if ended.State != record.Gone || len(ended.Receipt.Removed) != 2 || len(ended.Receipt.Left) != 0 {
				t.Errorf("the second life ended as %s with %+v", ended.State, ended.Receipt)
			}
		})
	}
}

// TestAStartThatIsNotAnsweredIsTheSameExecution has a delivery whose StartExecution is
// not answered, and the same wish again.
func TestAStartThatIsNotAnsweredIsTheSameExecution(t *testing.T) {
	tests := []struct {
		rule    string
		ends    bool                                        // the execution is over when the wish comes again
		became  func(name string) func(*record.Environment) // of the record meanwhile
		refused string
	}{
		{"it still runs", false, nil, ""},
		{"it has begun, and was stopped", true, func(name string) func(*record.Environment) {
			return func(env *record.Environment) { env.Execution, env.State = executionARN(name), record.Building }
		}, ""},
		{"it ended before it took the request up", true, nil, "ended already, without taking the request up"},
		{"it ended, and the record names that of the revision before", true, func(string) func(*record.Environment) {
			return func(env *record.Environment) { env.Execution = executionARN("demo-1-1") }
		}, "ended already"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			l := newLives(t)
			l.machine.lose, l.machine.ends = true, test.ends
			if err := l.ask(t, commit("1")); err == nil {
				t.Fatal("an answer that was lost is no error")
			}
			env := l.load(t).Environment
			if test.became != nil {
				change := test.became(statemachine.ExecutionName("demo", env.Incarnation, env.Revision))
				if _, err := l.records.Change(t.Context(), "demo", func(env *record.Environment) error { change(env); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			// Somebody else asks for the same, which is the same revision.
			wish, faults := slack.ParseProvision(commit("1") + " web --as demo --ttl 2h")
			wish.Request.RequestedBy, wish.Request.Channel = "U2", "C2"
			_, err := l.door.provision(t.Context(), wish, faults)
			if said := fmt.Sprint(err); (err == nil) != (test.refused == "") || !strings.Contains(said, test.refused) && err != nil {
				t.Errorf("the wish again = %v, want %q", err, test.refused)
			}
			if len(l.machine.named) != 1 {
				t.Errorf("%d executions were started", len(l.machine.named))
			}
		})
	}
}
