package record

import (
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// others are the attributes of a row that this release does not know. Functions are
// deployed one by one, and may be rolled back: whoever writes a row back as a whole
// keeps what a newer release has noted on it.
type others map[string]types.AttributeValue

func (e *Environment) read(item map[string]types.AttributeValue) error {
	e.others = unknown(item, reflect.TypeFor[Environment]())
	return attributevalue.UnmarshalMap(item, e)
}

func (r *Resource) read(item map[string]types.AttributeValue) error {
	r.others = unknown(item, reflect.TypeFor[Resource]())
	return attributevalue.UnmarshalMap(item, r)
}

func unknown(item map[string]types.AttributeValue, row reflect.Type) others {
	known := map[string]bool{}
	for i := range row.NumField() {
		name, _, _ := strings.Cut(row.Field(i).Tag.Get("dynamodbav"), ",")
		known[name] = true
	}
	var rest others
	for name, value := range item {
		if known[name] {
			continue
		}
		if rest == nil {
			rest = others{}
		}
		rest[name] = value
	}
	return rest
}

func encode(row any, rest others) (map[string]types.AttributeValue, error) {
	item, err := attributevalue.MarshalMap(row)
	if err != nil {
		return nil, err
	}
	for name, value := range rest {
		item[name] = value
	}
	return item, nil
}
