package life

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"previewenv/infra/local/slack"
)

// swept is what a sweep of the reaper reports.
type swept struct {
	Environments                               int
	Ended, Leaks, Removed, Left, Foreign, Held []line
	Problems                                   []string
}

type line struct{ Environment, Kind, Name, Why string }

// sweep invokes the reaper as its schedule does.
func sweep(t *testing.T, payload string) swept {
	t.Helper()
	out, err := lambda.NewFromConfig(world.Config).Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("reap"), Payload: []byte(payload),
	})
	if err != nil || out.FunctionError != nil {
		t.Fatalf("sweep: %v %s", err, out.Payload)
	}
	var s swept
	if err := json.Unmarshal(out.Payload, &s); err != nil {
		t.Fatalf("read the report of the sweep: %v", err)
	}
	if len(s.Problems)+len(s.Left) > 0 {
		t.Errorf("the sweep reports problems %v and leaves %v", s.Problems, s.Left)
	}
	world.Store.Settle(t.Context()) // what was removed is shown some seconds later
	return s
}

// stopExecution stops the execution that has an environment, as a person in the console.
func stopExecution(t *testing.T, label string) {
	t.Helper()
	row := item(t, label, "ENVIRONMENT")
	arn, ok := row["execution"].(*types.AttributeValueMemberS)
	if !ok {
		t.Fatalf("%s has no execution: %v", label, row)
	}
	if _, err := sfn.NewFromConfig(world.Config).StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &arn.Value}); err != nil {
		t.Fatalf("stop execution of %s: %v", label, err)
	}
}

func key(label, item string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"environment": &types.AttributeValueMemberS{Value: label}, "item": &types.AttributeValueMemberS{Value: item},
	}
}

func item(t *testing.T, label, name string) map[string]types.AttributeValue {
	t.Helper()
	out, err := dynamodb.NewFromConfig(world.Config).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &world.Seeded.Table, Key: key(label, name), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatalf("read %s %s: %v", label, name, err)
	}
	return out.Item
}

// rows are the keys of all that the table has of an environment.
func rows(t *testing.T, label string) []string {
	t.Helper()
	out, err := dynamodb.NewFromConfig(world.Config).Query(t.Context(), &dynamodb.QueryInput{
		TableName: &world.Seeded.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("environment = :label"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":label": &types.AttributeValueMemberS{Value: label}},
	})
	if err != nil || len(out.Items) == 0 {
		t.Fatalf("read the rows of %s: %v", label, err)
	}
	var all []string
	for _, row := range out.Items {
		all = append(all, row["item"].(*types.AttributeValueMemberS).Value)
	}
	return all
}

func stateOf(t *testing.T, label string) string {
	t.Helper()
	if state, ok := item(t, label, "ENVIRONMENT")["state"].(*types.AttributeValueMemberS); ok {
		return state.Value
	}
	return ""
}

// expire moves the deadline of an environment into the past.
func expire(t *testing.T, label string) {
	t.Helper()
	_, err := dynamodb.NewFromConfig(world.Config).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &world.Seeded.Table, Key: key(label, "ENVIRONMENT"), UpdateExpression: aws.String("SET expiresAt = :past"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":past": &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().Add(-time.Minute).Unix(), 10)},
		},
	})
	if err != nil {
		t.Fatalf("expire %s: %v", label, err)
	}
}

func forget(t *testing.T, label, item string) {
	t.Helper()
	if _, err := dynamodb.NewFromConfig(world.Config).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &world.Seeded.Table, Key: key(label, item),
	}); err != nil {
		t.Fatalf("delete %s %s: %v", label, item, err)
	}
}

func TestASweepRemovesWhatItsExecutionDidNot(t *testing.T) {
	for name, breaks := range map[string]func(t *testing.T, label string){
		"an expired one whose execution was stopped": func(t *testing.T, label string) {
			stopExecution(t, label)
			expire(t, label)
		},
		"one whose record was deleted": func(t *testing.T, label string) {
			stopExecution(t, label)
			forget(t, label, "ENVIRONMENT")
		},
		"one of which the table knows nothing any more": func(t *testing.T, label string) {
			stopExecution(t, label)
			for _, row := range rows(t, label) {
				forget(t, label, row)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := inventory(t)
			label := fmt.Sprintf("reap%d", time.Now().UnixNano()%100000)
			provision(t, label, world.Repository.Commits["pr1"]+" service1 web --queues --as "+label)
			breaks(t, label)
			planned := inventory(t)
			sweep(t, `{"dryRun":true}`)
			if diff := cmp.Diff(planned, inventory(t)); diff != "" {
				t.Errorf("a dry run changed something (-before +after):\n%s", diff)
			}
			if s := sweep(t, `{}`); len(s.Removed) == 0 {
				t.Errorf("the sweep removed nothing: %+v", s)
			}
			if diff := cmp.Diff(before, inventory(t)); diff != "" {
				t.Errorf("a sweep left something (-before +after):\n%s", diff)
			}
			if p := get(t, world.URL(label)+"/service1"); p.Status != http.StatusServiceUnavailable {
				t.Errorf("the host answers %d", p.Status)
			}
			if s := sweep(t, `{}`); len(s.Removed)+len(s.Ended)+len(s.Leaks) > 0 {
				t.Errorf("a second sweep found more: %+v", s)
			}
		})
	}
}

func TestASweepEndsWhatWasStoppedHalfWay(t *testing.T) {
	t.Run("a first provision", func(t *testing.T) {
		before := inventory(t)
		sha := pushed(t, 2, "service2")
		command(t, "/provisionenv", sha+" service2 --as half")
		until(t, "half", "building", slack.Message{})
		stopExecution(t, "half")
		if s := sweep(t, `{}`); len(s.Ended) != 1 {
			t.Errorf("the sweep took over %v", s.Ended)
		}
		m := until(t, "half", "failed", slack.Message{})
		if !strings.Contains(string(m.Blocks), "its execution ended as ABORTED") {
			t.Errorf("the message does not say why: %s", m.Blocks)
		}
		if diff := cmp.Diff(before, inventory(t)); diff != "" {
			t.Errorf("it left something (-before +after):\n%s", diff)
		}
	})
	t.Run("an update goes back to what was good", func(t *testing.T) {
		good := world.Repository.Commits["pr1"]
		provision(t, "back", good+" service1 --as back")
		since := message(t, "back")
		command(t, "/provisionenv", pushed(t, 1, "service1")+" service1 --as back")
		until(t, "back", "building", since)
		stopExecution(t, "back")
		sweep(t, `{}`)
		m := until(t, "back", "degraded", since)
		if !strings.Contains(string(m.Blocks), "its execution ended as ABORTED") {
			t.Errorf("the message does not say why: %s", m.Blocks)
		}
		if p := serves(t, world.URL("back")+"/service1", "service1"); p.JSON(t)["commit"] != good {
			t.Errorf("service1 answers %s", p.Body)
		}
		remove(t, "back")
	})
}

func TestASweepLeavesAloneWhatLives(t *testing.T) {
	provision(t, "alive", world.Repository.Commits["pr1"]+" service1 web --queues --as alive")
	before := inventory(t)
	s := sweep(t, `{}`)
	if s.Environments != 1 || len(s.Removed)+len(s.Ended)+len(s.Leaks) > 0 {
		t.Errorf("the sweep of a sound installation reports %+v", s)
	}
	if diff := cmp.Diff(before, inventory(t)); diff != "" {
		t.Errorf("a sweep touched what lives (-before +after):\n%s", diff)
	}
	serves(t, world.URL("alive")+"/service1", "service1")
	remove(t, "alive")
}

func TestWithoutRoomARefusalSaysWhoHasThePlaces(t *testing.T) {
	t.Parallel()
	labels := []string{"room1", "room2", "room3", "room4"}
	commit := world.Repository.Commits["pr1"]
	for _, label := range labels[:3] {
		provision(t, label, commit+" service1 --as "+label)
	}
	before := inventory(t, labels...)
	refused := command(t, "/provisionenv", commit+" service1 --as room4").Text
	for _, words := range []string{"limits.perOwner", "room1", "room2", "room3", "<@" + personOf(t) + ">", "until", "/cleanupenv room1"} {
		if !strings.Contains(refused, words) {
			t.Errorf("the refusal lacks %q: %s", words, refused)
		}
	}
	if diff := cmp.Diff(before, inventory(t, labels...)); diff != "" || stateOf(t, "room4") != "" {
		t.Errorf("a refusal made something (state %q):\n%s", stateOf(t, "room4"), diff)
	}
	provision(t, "room1", pushed(t, 1, "service1")+" service1 --as room1") // an update is never refused
	for _, label := range labels[:3] {
		remove(t, label)
	}
}
