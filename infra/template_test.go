package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// stacks are the templates of one synthesis, by stack.
type stacks map[string]template

// template is one as CloudFormation reads it.
type template struct {
	Resources map[string]resource
	Outputs   map[string]any
}

type resource struct {
	Type           string
	Properties     map[string]any
	Metadata       map[string]any
	DeletionPolicy string
	DependsOn      ids
}

// ids are one or several, as a template writes them.
type ids []string

func (all *ids) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*all = ids{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(all))
}

// ours are the stacks of infra/catalog.yaml, made once: a synthesis takes seconds,
// and jsii bears no two at a time.
var ours stacks

// reports is where cdk-nag wrote what it found in ours.
var reports string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	defer jsii.Close()
	out, err := os.MkdirTemp("", "synth")
	if err == nil {
		defer func() { _ = os.RemoveAll(out) }()
		reports = out
		ours, err = synthesize(out, map[string]string{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// synthesize makes the stacks of a context, with cdk-nag looking on.
func synthesize(out string, context map[string]string) (stacks, error) {
	values := map[string]any{"root": ".."}
	text, err := os.ReadFile("../cdk.json")
	if err != nil {
		return nil, err
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	maps.Copy(values, file.Context)
	for name, value := range context {
		values[name] = value
	}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &out, Context: &values})
	s, err := readSettings(app.Node())
	if err != nil {
		return nil, err
	}
	if err := makeStacks(app, s); err != nil {
		return nil, err
	}
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
		Verbose: jsii.Bool(true), Reports: jsii.Bool(true), ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON},
	}), nil)
	app.Synth(nil)
	return load(out)
}

func load(out string) (stacks, error) {
	files, err := filepath.Glob(filepath.Join(out, "*.template.json"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, errors.New("the synthesis left no template"))
	}
	all := stacks{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var t template
		if err := json.Unmarshal(text, &t); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(filepath.Base(file), ".template.json")] = t
	}
	return all, nil
}

// control is the stack that an installation has once.
func control(t testing.TB) template {
	t.Helper()
	return stackOf(t, "PreviewEnvironments-pv")
}

func stackOf(t testing.TB, name string) template {
	t.Helper()
	found, ok := ours[name]
	if !ok {
		t.Fatalf("there is no stack %s; there are %v", name, slices.Sorted(maps.Keys(ours)))
	}
	return found
}

// of are the resources of a type, by logical id.
func (t template) of(kind string) map[string]resource {
	found := map[string]resource{}
	for id, r := range t.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	return found
}

// at follows a path of keys into a resource's properties.
func (r resource) at(path ...string) any {
	var v any = r.Properties
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// text renders a value of a template as one would read it: references by their
// logical id, joins joined.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = text(v[i])
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		return intrinsic(v)
	}
	return fmt.Sprint(v)
}

// exportOf begins the name of what another stack refers to as a whole.
var exportOf = regexp.MustCompile(`^.*:ExportsOutputRef`)

// intrinsic renders a function of CloudFormation.
func intrinsic(v map[string]any) string {
	if ref, ok := v["Ref"].(string); ok {
		return "<" + ref + ">"
	}
	if get, ok := v["Fn::GetAtt"].([]any); ok {
		return "<" + text(get[0]) + "." + text(get[1]) + ">"
	}
	if name, ok := v["Fn::ImportValue"]; ok {
		return "<" + hash.ReplaceAllString(exportOf.ReplaceAllString(text(name), ""), "$1") + ">"
	}
	if join, ok := v["Fn::Join"].([]any); ok {
		separator := text(join[0])
		parts, ok := join[1].([]any)
		if !ok {
			return strings.ReplaceAll(text(join[1]), ", ", separator)
		}
		words := make([]string, len(parts))
		for i := range parts {
			words[i] = text(parts[i])
		}
		return strings.Join(words, separator)
	}
	if split, ok := v["Fn::Split"].([]any); ok {
		return strings.ReplaceAll(text(split[1]), text(split[0]), ", ")
	}
	data, _ := json.Marshal(v) // it came from JSON
	return string(data)
}

// list is a value that may be one or several, as IAM writes actions and resources.
func list(v any) []string {
	if all, ok := v.([]any); ok {
		words := make([]string, len(all))
		for i := range all {
			words[i] = text(all[i])
		}
		return words
	}
	return []string{text(v)}
}
