package step

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/lambdas/kinds/queue"
	"previewenv/lambdas/kinds/route"
	"previewenv/lambdas/kinds/rule"
	"previewenv/lambdas/kinds/service"
	"previewenv/lambdas/kinds/targetgroup"
	"previewenv/statemachine"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// payload is one thing that travels from a function to another, which may be of the
// release before or after: a row of the table, the specification in a row, the input or
// output of a state, a parameter of the catalog.
type payload struct {
	name   string
	make   func() any // a pointer to a zero one
	encode func(v any) ([]byte, error)
	decode func(data []byte, into any) error
}

func asJSON[T any](name string) payload {
	return payload{name: name, make: func() any { return new(T) }, encode: json.Marshal, decode: json.Unmarshal}
}

func asRow[T any](name string) payload {
	return payload{name: name, make: func() any { return new(T) }, encode: encodeRow, decode: decodeRow}
}

func payloads() []payload {
	all := []payload{
		asRow[record.Environment]("row-environment"), asRow[record.Service]("row-service"),
		asRow[record.Resource]("row-resource"), asRow[record.Build]("row-build"),
		asJSON[frontend.Spec]("spec-frontend"), asJSON[queue.Spec]("spec-queue"), asJSON[route.Spec]("spec-route"),
		asJSON[rule.Spec]("spec-rule"), asJSON[service.Spec]("spec-service"), asJSON[targetgroup.Spec]("spec-targetgroup"),
		asJSON[statemachine.Request]("request"), asJSON[statemachine.Plan]("task-Plan"), asJSON[statemachine.ResourceOutput]("task-ResourceOutput"),
		asJSON[statemachine.HoldOutput]("task-HoldOutput"), asJSON[statemachine.RecoverOutput]("task-RecoverOutput"),
		asJSON[statemachine.CleanUpOutput]("task-CleanUpOutput"),
		asJSON[catalog.Settings]("catalog-settings"), asJSON[catalog.Service]("catalog-service"),
	}
	seen := map[reflect.Type]bool{}
	for _, task := range statemachine.Tasks {
		of := reflect.TypeOf(task.Input)
		if seen[of] {
			continue
		}
		seen[of] = true
		all = append(all, payload{
			name: "task-" + of.Name(), make: func() any { return reflect.New(of).Interface() }, encode: json.Marshal, decode: json.Unmarshal,
		})
	}
	return all
}

// TestWhatTravelsBetweenReleasesIsAsItWas holds every payload, with every field filled,
// to a golden. A difference says what the functions of the release before will not find,
// or find otherwise, while the new ones are deployed one by one. A new field is fine; one
// that is renamed, taken away or of another type needs a release in which both are read.
func TestWhatTravelsBetweenReleasesIsAsItWas(t *testing.T) {
	for _, p := range payloads() {
		t.Run(p.name, func(t *testing.T) {
			sample := p.make()
			fill(reflect.ValueOf(sample).Elem(), "", 0)
			got := indented(t, p, sample)
			path := filepath.Join("testdata", "payloads", p.name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("what is written differs (-golden +got):\n%s", diff)
			}
			back := p.make()
			if err := p.decode(want, back); err != nil {
				t.Fatalf("the golden cannot be read: %v", err)
			}
			if diff := cmp.Diff(string(want), string(indented(t, p, back))); diff != "" {
				t.Errorf("what is read differs (-golden +got):\n%s", diff)
			}
			newer := bytes.Replace(want, []byte("{"), []byte(`{"AFieldOfTheNextRelease": {"S": "text"},`), 1)
			if err := p.decode(newer, p.make()); err != nil {
				t.Errorf("one with a field of the next release cannot be read: %v", err)
			}
		})
	}
}

func indented(t *testing.T, p payload, v any) []byte {
	t.Helper()
	data, err := p.encode(v)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

// fill gives every field a value that is not zero, named by the field.
func fill(v reflect.Value, name string, depth int) {
	const deepest = 12
	if depth > deepest {
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_800_000_000, 0).UTC()))
		return
	case json.RawMessage:
		v.Set(reflect.ValueOf(json.RawMessage(`{"LOG_LEVEL":"debug"}`)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.ToLower(name))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name, depth+1)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), name, depth+1)
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, name, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), value)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && !field.Anonymous {
				fill(v.Field(i), field.Name, depth+1)
			}
		}
	case reflect.Interface: // the cause of a fault, which is not written
	default:
		panic(fmt.Sprintf("fill %s: a %s is not known here", name, v.Kind()))
	}
}

// encodeRow writes a row with the types of its attributes, as DynamoDB shows it.
func encodeRow(v any) ([]byte, error) {
	item, err := attributevalue.MarshalMap(v)
	if err != nil {
		return nil, err
	}
	typed := map[string]any{}
	for name, value := range item {
		typed[name] = withType(value)
	}
	return json.Marshal(typed)
}

func withType(v types.AttributeValue) map[string]any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}
	case *types.AttributeValueMemberL:
		list := []any{}
		for _, one := range v.Value {
			list = append(list, withType(one))
		}
		return map[string]any{"L": list}
	case *types.AttributeValueMemberM:
		fields := map[string]any{}
		for name, one := range v.Value {
			fields[name] = withType(one)
		}
		return map[string]any{"M": fields}
	}
	panic(fmt.Sprintf("a %T is not known here", v))
}

func decodeRow(data []byte, into any) error {
	var typed map[string]map[string]json.RawMessage
	if err := json.Unmarshal(data, &typed); err != nil {
		return err
	}
	item := map[string]types.AttributeValue{}
	for name, value := range typed {
		decoded, err := withoutType(value)
		if err != nil {
			return err
		}
		item[name] = decoded
	}
	return attributevalue.UnmarshalMap(item, into)
}

func withoutType(typed map[string]json.RawMessage) (types.AttributeValue, error) {
	for kind, raw := range typed {
		switch kind {
		case "S":
			v := &types.AttributeValueMemberS{}
			return v, json.Unmarshal(raw, &v.Value)
		case "N":
			v := &types.AttributeValueMemberN{}
			return v, json.Unmarshal(raw, &v.Value)
		case "BOOL":
			v := &types.AttributeValueMemberBOOL{}
			return v, json.Unmarshal(raw, &v.Value)
		case "SS":
			v := &types.AttributeValueMemberSS{}
			return v, json.Unmarshal(raw, &v.Value)
		case "L":
			v := &types.AttributeValueMemberL{}
			var list []map[string]json.RawMessage
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, err
			}
			for _, one := range list {
				decoded, err := withoutType(one)
				if err != nil {
					return nil, err
				}
				v.Value = append(v.Value, decoded)
			}
			return v, nil
		case "M":
			v := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
			var fields map[string]map[string]json.RawMessage
			if err := json.Unmarshal(raw, &fields); err != nil {
				return nil, err
			}
			for name, one := range fields {
				decoded, err := withoutType(one)
				if err != nil {
					return nil, err
				}
				v.Value[name] = decoded
			}
			return v, nil
		}
	}
	return nil, fmt.Errorf("no type is known in %v", typed)
}
