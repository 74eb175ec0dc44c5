package awstest

import (
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Atomic is a client of DynamoDB whose writes check and write in one step, as AWS
// does: two threads of the emulator may both find that a condition holds.
type Atomic struct {
	*dynamodb.Client

	mu sync.Mutex
}

// PutItem is DynamoDB's.
func (a *Atomic) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.Client.PutItem(ctx, in, o...)
}

// UpdateItem is DynamoDB's.
func (a *Atomic) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.Client.UpdateItem(ctx, in, o...)
}

// TransactWriteItems is DynamoDB's.
func (a *Atomic) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.Client.TransactWriteItems(ctx, in, o...)
}

// Table makes the table of records and ledgers as the deployment does, and returns a
// client and its name.
func Table(t testing.TB, cfg aws.Config) (*Atomic, string) {
	t.Helper()
	client, name := dynamodb.NewFromConfig(Quiet(cfg)), "environments"
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(hash, ranged string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: &hash, KeyType: types.KeyTypeHash}, {AttributeName: &ranged, KeyType: types.KeyTypeRange},
		}
	}
	index := func(hash string) types.GlobalSecondaryIndex {
		return types.GlobalSecondaryIndex{
			IndexName: &hash, KeySchema: keys(hash, "environment"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}
	}
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keys("environment", "item"),
		AttributeDefinitions:   []types.AttributeDefinition{text("environment"), text("item"), text("commit"), text("live")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{index("commit"), index("live")},
	}); err != nil {
		t.Fatalf("create table: %v", err)
	}
	return &Atomic{Client: client}, name
}
