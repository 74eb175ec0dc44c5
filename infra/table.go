package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// makeTable makes the table of records and ledgers. What it says is what AWS is
// made to be, so it outlives the stack, and can be put back to any second of the
// last 35 days. It is encrypted with DynamoDB's own key: a key of ours would be one
// more right that each of the functions needs to have.
func (p *previews) makeTable() error {
	text := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
	}
	p.table = awsdynamodb.NewTable(p.stack, jsii.String("Environments"), &awsdynamodb.TableProps{
		PartitionKey: text("environment"), SortKey: text("item"),
		BillingMode:                      awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		Stream:                           awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
		TimeToLiveAttribute:              jsii.String("ttl"),
		DeletionProtection:               jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	for _, index := range []string{"live", "commit"} {
		p.table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
			IndexName: jsii.String(index), PartitionKey: text(index), SortKey: text("environment"),
			ProjectionType: awsdynamodb.ProjectionType_ALL,
		})
	}
	return nil
}
