package edge

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
	"github.com/dop251/goja/token"
	"github.com/google/go-cmp/cmp"
)

// CloudFront takes any code at its creation, and says at each request what its
// runtime cannot read. So what the functions are written in is held here to what
// docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
// lists: ECMAScript 5.1, and of the later ones const, let, async, await, **,
// template literals, arrow functions and rest parameters. What is not there is
// refused, whether or not the runtime happens to know it.
var known = []ast.Node{
	&ast.Program{}, &ast.FunctionDeclaration{}, &ast.FunctionLiteral{}, &ast.ArrowFunctionLiteral{}, &ast.ParameterList{}, &ast.ExpressionBody{},
	&ast.BlockStatement{}, &ast.BranchStatement{}, &ast.CaseStatement{}, &ast.CatchStatement{}, &ast.DoWhileStatement{},
	&ast.EmptyStatement{}, &ast.ExpressionStatement{}, &ast.ForInStatement{}, &ast.ForDeclaration{}, &ast.ForIntoVar{}, &ast.ForIntoExpression{}, &ast.ForStatement{},
	&ast.ForLoopInitializerExpression{}, &ast.ForLoopInitializerVarDeclList{}, &ast.ForLoopInitializerLexicalDecl{}, &ast.IfStatement{},
	&ast.LabelledStatement{}, &ast.ReturnStatement{}, &ast.SwitchStatement{}, &ast.ThrowStatement{}, &ast.TryStatement{},
	&ast.VariableStatement{}, &ast.LexicalDeclaration{}, &ast.WhileStatement{},
	&ast.ArrayLiteral{}, &ast.AssignExpression{}, &ast.AwaitExpression{}, &ast.BinaryExpression{}, &ast.Binding{}, &ast.BooleanLiteral{},
	&ast.BracketExpression{}, &ast.CallExpression{}, &ast.ConditionalExpression{}, &ast.DotExpression{}, &ast.Identifier{},
	&ast.NewExpression{}, &ast.NullLiteral{}, &ast.NumberLiteral{}, &ast.ObjectLiteral{}, &ast.PropertyKeyed{}, &ast.RegExpLiteral{},
	&ast.SequenceExpression{}, &ast.StringLiteral{}, &ast.TemplateElement{}, &ast.TemplateLiteral{}, &ast.ThisExpression{}, &ast.UnaryExpression{},
}

// restricted are the globals that the runtime has not, or refuses to call.
var restricted = []string{"eval", "Function", "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "XMLHttpRequest", "fetch"}

// refusals are what the runtime would say of code, with its line.
func refusals(code string) []string {
	program, err := parser.ParseFile(nil, "", strings.TrimPrefix(code, importLine), 0)
	if err != nil {
		return []string{err.Error()}
	}
	j := &judge{file: program.File}
	j.visit(reflect.ValueOf(program), inside{})
	return j.found
}

type judge struct {
	file  *file.File
	found []string
}

// inside is what a node stands in.
type inside struct{ function, async, argument bool }

func (j *judge) say(node ast.Node, format string, args ...any) {
	j.found = append(j.found, fmt.Sprintf("line %d: ", j.file.Position(int(node.Idx0())-1).Line)+fmt.Sprintf(format, args...))
}

// visit goes through every field that holds a node.
func (j *judge) visit(v reflect.Value, in inside) {
	switch v.Kind() {
	case reflect.Interface:
		j.visit(v.Elem(), in)
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if node, ok := v.Interface().(ast.Node); ok {
			in = j.node(node, in)
		}
		j.visit(v.Elem(), in)
	case reflect.Slice:
		for i := range v.Len() {
			j.visit(v.Index(i), in)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			// The declarations of a function stand in its body too.
			if !field.IsExported() || field.Name == "DeclarationList" || field.Name == "File" {
				continue
			}
			below := in
			below.argument = in.argument || field.Name == "ArgumentList"
			j.visit(v.Field(i), below)
		}
	default:
	}
}

// node judges one node, and says what is below it.
func (j *judge) node(node ast.Node, in inside) inside {
	if !slices.ContainsFunc(known, func(k ast.Node) bool { return reflect.TypeOf(k) == reflect.TypeOf(node) }) {
		j.say(node, "%s is not supported", strings.TrimPrefix(reflect.TypeOf(node).String(), "*ast."))
		return in
	}
	switch n := node.(type) {
	case *ast.FunctionLiteral:
		return j.function(n, n.ParameterList, in, n.Async, n.Generator)
	case *ast.ArrowFunctionLiteral:
		return j.function(n, n.ParameterList, in, n.Async, false)
	case *ast.AwaitExpression:
		if in.argument {
			j.say(n, "await in arguments not supported")
		}
		if !in.async {
			j.say(n, "await outside of an async function")
		}
	case *ast.Identifier:
		if slices.Contains(restricted, string(n.Name)) {
			j.say(n, "%s is restricted", n.Name)
		}
	case *ast.Binding:
		if _, plain := n.Target.(*ast.Identifier); !plain {
			j.say(n.Target, "destructuring is not supported")
		}
	case *ast.CatchStatement:
		if n.Parameter == nil {
			j.say(n, "catch without a parameter is not supported")
		}
	case *ast.ForDeclaration:
		if _, plain := n.Target.(*ast.Identifier); !plain {
			j.say(n.Target, "destructuring is not supported")
		}
	case *ast.BinaryExpression:
		if n.Operator == token.COALESCE {
			j.say(n, "?? is not supported")
		}
	case *ast.AssignExpression:
		if slices.Contains([]token.Token{token.COALESCE, token.LOGICAL_AND, token.LOGICAL_OR}, n.Operator) {
			j.say(n, "%s= is not supported", n.Operator)
		}
	case *ast.PropertyKeyed:
		if n.Computed || n.Kind == ast.PropertyKindMethod {
			j.say(n, "computed names and methods in objects are not supported")
		}
	case *ast.TemplateLiteral:
		if n.Tag != nil {
			j.say(n, "tagged templates are not supported")
		}
	}
	return in
}

func (j *judge) function(n ast.Node, parameters *ast.ParameterList, in inside, async, generator bool) inside {
	if generator {
		j.say(n, "generators are not supported")
	}
	// AWS's words are that async arguments and closures are not supported, and leave
	// open which closures: so an async function stands by itself and holds none.
	if async && in.function || in.async {
		j.say(n, "async closures are not supported")
	}
	for _, parameter := range parameters.List {
		if parameter.Initializer != nil {
			j.say(n, "default parameters are not supported")
		}
	}
	return inside{function: true, async: async}
}

func TestSyntaxIsWhatTheRuntimeReads(t *testing.T) {
	request, response := rendered(t)
	for name, code := range map[string]string{"viewer-request": request, "viewer-response": response} {
		for _, refusal := range refusals(code) {
			t.Errorf("%s: %s", name, refusal)
		}
	}
}

func TestSyntaxThatTheRuntimeRefuses(t *testing.T) {
	const awaited = "async function handler(event) { let a; try { a = JSON.parse(await event.p); } catch (e) { a = 1; } return a; }"
	tests := map[string]struct{ code, want string }{
		"await in an argument":         {awaited, "await in arguments not supported"},
		"await deep in an argument":    {"async function h(p) { return f({ a: [await p] }); }", "await in arguments not supported"},
		"await in an argument of new":  {"async function h(p) { return new Date(await p); }", "await in arguments not supported"},
		"await where nothing is async": {"function h(p) { return await p; }", "Unexpected"},
		"async argument":               {"function h(p) { p(async function () { return 1; }); }", "async closures"},
		"async closure":                {"function h() { return async () => 1; }", "async closures"},
		"closure in an async function": {"async function h(p) { p.forEach(function (x) { p = x; }); }", "async closures"},
		"for of":                       {"function h(p) { for (const x of p) { p = x; } }", "ForOfStatement"},
		"destructuring":                {"function h(p) { const { a } = p; return a; }", "destructuring"},
		"destructuring of a parameter": {"function h([a]) { return a; }", "destructuring"},
		"optional chaining":            {"function h(p) { return p?.a; }", "Optional"},
		"?? of nothing":                {"function h(p) { return p ?? 1; }", "??"},
		"a logical assignment":         {"function h(p) { p.a ||= 1; }", "||= is not supported"},
		"destructuring in a loop":      {"function h(p) { for (const [a] in p) { p = a; } }", "destructuring"},
		"spread":                       {"function h(p) { return [...p]; }", "SpreadElement"},
		"a class":                      {"class A {}", "ClassDeclaration"},
		"a generator":                  {"function* h() { yield 1; }", "generators"},
		"a default parameter":          {"function h(a = 1) { return a; }", "default parameters"},
		"a property by its name alone": {"function h(a) { return { a }; }", "PropertyShort"},
		"a computed property":          {"function h(a) { return { [a]: 1 }; }", "computed names"},
		"a tagged template":            {"function h(a) { return a`x`; }", "tagged templates"},
		"catch without a parameter":    {"function h() { try { h(); } catch { return 1; } }", "catch without"},
		"eval":                         {"function h() { return eval('1'); }", "eval is restricted"},
		"a timer":                      {"function h(f) { setTimeout(f, 1); }", "setTimeout is restricted"},
		"with":                         {"function h(f) { with (f) { h(); } }", "WithStatement"},
		"what is no JavaScript":        {"function h( { ", "Unexpected"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if found := strings.Join(refusals(test.code), "\n"); !strings.Contains(found, test.want) {
				t.Errorf("%q does not say %q", found, test.want)
			}
		})
	}
	const good = "async function handler(event) { const p = event.p; let a; try { const raw = await p; a = JSON.parse(raw); } catch (e) { a = `${p} ${2 ** 3}`; } return a; }\n" +
		"const f = (a, ...rest) => a + rest.length;\n" +
		"function g(x) { for (const k in x) { if (k) { continue; } } return x.map(function (y) { return { 'a': y, b: 1 }; }); }"
	if diff := cmp.Diff([]string(nil), refusals(good)); diff != "" {
		t.Errorf("what the runtime reads is refused:\n%s", diff)
	}
}
