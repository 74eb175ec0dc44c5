package stack

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"previewenv/infra/local/manner"
	"previewenv/infra/local/moto"
	"previewenv/infra/local/seed"
)

func TestRowsExpireOneByOneInNoOrder(t *testing.T) {
	bin, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		t.Fatal(err)
	}
	server, err := moto.Start(t.Context(), moto.Options{Python: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	s := &Stack{edgeURL: server.URL.String(), Seeded: seed.Result{Table: "rows"}, options: Options{Manners: &manner.Manners{Seed: 2, Factor: 1}}}
	client := dynamodb.NewFromConfig(clientConfig(s.edgeURL, "test"))
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &s.Seeded.Table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("environment"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("item"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("environment"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("item"), KeyType: types.KeyTypeRange},
		},
	}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for item, ttl := range map[string]time.Duration{"ENVIRONMENT": -time.Hour, "RESOURCE#a": -time.Hour, "RESOURCE#b": -time.Minute, "RESOURCE#c": time.Hour, "RESOURCE#d": 0} {
		row := map[string]types.AttributeValue{"environment": &types.AttributeValueMemberS{Value: "pr1"}, "item": &types.AttributeValueMemberS{Value: item}}
		if ttl != 0 {
			row["ttl"] = &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(ttl).Unix(), 10)}
		}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.Seeded.Table, Item: row}); err != nil {
			t.Fatal(err)
		}
	}
	for want := 3; want >= 0; want-- {
		if due, err := s.Expire(t.Context(), now, 1); err != nil || due != want {
			t.Fatalf("%d rows were due, %v; want %d", due, err, want)
		}
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.Seeded.Table})
	if err != nil || len(out.Items) != 2 {
		t.Errorf("%d rows are left, %v; want the two that have not expired", len(out.Items), err)
	}
}
