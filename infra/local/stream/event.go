package stream

import (
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// convert makes the event that Lambda makes of records.
func convert(arn string, records []types.Record) (events.DynamoDBEvent, error) {
	var event events.DynamoDBEvent
	for _, r := range records {
		out := events.DynamoDBEventRecord{
			AWSRegion: aws.ToString(r.AwsRegion), EventID: aws.ToString(r.EventID), EventName: string(r.EventName),
			EventSource: "aws:dynamodb", EventVersion: aws.ToString(r.EventVersion), EventSourceArn: arn,
		}
		if r.Dynamodb != nil {
			change, err := convertChange(r.Dynamodb)
			if err != nil {
				return event, fmt.Errorf("convert record %s: %w", out.EventID, err)
			}
			out.Change = change
		}
		event.Records = append(event.Records, out)
	}
	return event, nil
}

func convertChange(r *types.StreamRecord) (events.DynamoDBStreamRecord, error) {
	out := events.DynamoDBStreamRecord{
		SequenceNumber: aws.ToString(r.SequenceNumber),
		SizeBytes:      aws.ToInt64(r.SizeBytes),
		StreamViewType: string(r.StreamViewType),
	}
	if r.ApproximateCreationDateTime != nil {
		out.ApproximateCreationDateTime = events.SecondsEpochTime{Time: *r.ApproximateCreationDateTime}
	}
	var err error
	if out.Keys, err = convertMap(r.Keys); err != nil {
		return out, err
	}
	if out.NewImage, err = convertMap(r.NewImage); err != nil {
		return out, err
	}
	out.OldImage, err = convertMap(r.OldImage)
	return out, err
}

func convertMap(in map[string]types.AttributeValue) (map[string]events.DynamoDBAttributeValue, error) {
	if in == nil {
		return nil, nil
	}
	out := make(map[string]events.DynamoDBAttributeValue, len(in))
	for name, v := range in {
		converted, err := convertValue(v)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		out[name] = converted
	}
	return out, nil
}

func convertValue(v types.AttributeValue) (events.DynamoDBAttributeValue, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value), nil
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value), nil
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value), nil
	case *types.AttributeValueMemberNULL:
		return events.NewNullAttribute(), nil
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(v.Value), nil
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(v.Value), nil
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(v.Value), nil
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(v.Value), nil
	case *types.AttributeValueMemberM:
		m, err := convertMap(v.Value)
		if err == nil && m == nil {
			m = map[string]events.DynamoDBAttributeValue{}
		}
		return events.NewMapAttribute(m), err
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, 0, len(v.Value))
		for _, element := range v.Value {
			converted, err := convertValue(element)
			if err != nil {
				return events.DynamoDBAttributeValue{}, err
			}
			list = append(list, converted)
		}
		return events.NewListAttribute(list), nil
	}
	return events.DynamoDBAttributeValue{}, fmt.Errorf("%T is no attribute value", v)
}
