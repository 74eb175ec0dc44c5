package awstest

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/middleware"
)

// tokenStart marks a token that was made here and means nothing to the emulator.
const tokenStart = "awstest-page-"

// tokens are the pairs of fields that AWS pages by: of the input, of the output.
var tokens = [][2]string{
	{"NextToken", "NextToken"},
	{"Marker", "NextMarker"},
	{"ContinuationToken", "NextContinuationToken"},
}

// paged lets the emulator answer in full and hands out the answer piece by piece.
func paged(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler, size int,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	input := reflect.New(reflect.TypeOf(in.Parameters).Elem())
	input.Elem().Set(reflect.ValueOf(in.Parameters).Elem())
	var from int
	var field string
	for _, pair := range tokens {
		token := input.Elem().FieldByName(pair[0])
		if !token.IsValid() || token.Type() != reflect.TypeFor[*string]() {
			continue
		}
		field = pair[1]
		if !token.IsNil() && strings.HasPrefix(token.Elem().String(), tokenStart) {
			from, _ = strconv.Atoi(strings.TrimPrefix(token.Elem().String(), tokenStart))
			token.SetZero()
		}
		break
	}
	in.Parameters = input.Interface()
	out, metadata, err := next.HandleInitialize(ctx, in)
	if err == nil && field != "" {
		cut(reflect.ValueOf(out.Result).Elem(), field, from, size)
	}
	return out, metadata, err
}

func cut(output reflect.Value, field string, from, size int) {
	token := output.FieldByName(field)
	if !token.IsValid() || !token.IsNil() {
		return
	}
	for i := range output.NumField() {
		list := output.Field(i)
		if list.Kind() != reflect.Slice || !list.CanSet() || list.Len() == 0 {
			continue
		}
		end := min(from+size, list.Len())
		if end < list.Len() {
			next := tokenStart + strconv.Itoa(end)
			token.Set(reflect.ValueOf(&next))
			if truncated := output.FieldByName("IsTruncated"); truncated.IsValid() && truncated.Kind() == reflect.Pointer {
				yes := true
				truncated.Set(reflect.ValueOf(&yes))
			}
		}
		list.Set(list.Slice(min(from, list.Len()), end))
		return
	}
}
