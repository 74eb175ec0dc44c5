package record_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/record"
)

func TestWhatANewerReleaseNotedOnARowStaysThere(t *testing.T) {
	s := store(t)
	env := claim(t, s, wish(first))
	row := record.Resource{Environment: "pr1", Kind: "queue", Name: "orders", Revision: env.Revision, State: record.Planned}
	if err := s.PutResource(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	client := s.Client.(*awstest.Atomic)
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	rows := map[string]map[string]types.AttributeValue{}
	for _, item := range []string{"ENVIRONMENT", "RESOURCE#queue#orders"} {
		rows[item] = map[string]types.AttributeValue{"environment": text("pr1"), "item": text(item)}
		if _, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &s.Table, Key: rows[item], UpdateExpression: aws.String("SET newer = :noted"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":noted": text("kept")},
		}); err != nil {
			t.Fatal(err)
		}
	}
	set(t, s, func(env *record.Environment) { env.State = record.Ready })
	read, _, err := s.GetResource(t.Context(), "pr1", "queue", "orders")
	if err != nil {
		t.Fatal(err)
	}
	read.State = record.Present
	if err := s.PutResource(t.Context(), read); err != nil {
		t.Fatal(err)
	}
	for item, key := range rows {
		out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.Table, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		if noted, ok := out.Item["newer"].(*types.AttributeValueMemberS); !ok || noted.Value != "kept" {
			t.Errorf("%s has %v", item, out.Item)
		}
	}
	if again := claim(t, s, wish(second)); again.State != record.Requested {
		t.Errorf("the next wish is %s", again.State)
	}
}
