package stream

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func changeOf(environment, item string) types.Record {
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	return types.Record{Dynamodb: &types.StreamRecord{Keys: map[string]types.AttributeValue{"environment": text(environment), "item": text(item)}}}
}

func TestOrderHoldsForWhatTheFactorLeaves(t *testing.T) {
	for _, c := range []struct {
		name           string
		shards, factor int
		ofOne, ofAll   int // lanes that the rows of one environment, and of many, are in
	}{
		{"one shard and one worker: all is in order", 1, 1, 1, 1},
		{"four shards of one worker: the rows of one partition key are in order", 4, 1, 1, 4},
		{"one shard of four workers: the changes of one item are in order alone", 1, 4, 4, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := lanes{shards: c.shards, factor: c.factor, partition: "environment"}
			ofOne, ofAll := map[int]bool{}, map[int]bool{}
			for i := range 40 {
				row := fmt.Sprintf("RESOURCE#%d", i)
				ofOne[l.of(changeOf("pr1", row))] = true
				ofAll[l.of(changeOf(fmt.Sprintf("pr%d", i), row))] = true
			}
			if len(ofOne) != c.ofOne || len(ofAll) != c.ofAll {
				t.Errorf("one environment's rows are in %d lanes, all in %d; want %d and %d", len(ofOne), len(ofAll), c.ofOne, c.ofAll)
			}
		})
	}
}
