package edge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dop251/goja"
	"github.com/google/go-cmp/cmp"
)

var settings = Settings{
	BaseDomain: "preview.example.com",
	Backends: []Backend{
		{Name: "service1", Paths: []string{"/service1", "/service1/*", "/service2/v1/own/*"}},
		{Name: "service2", Paths: []string{"/service2/v?/*", "/service1/deep/*"}},
	},
	Frontend: "web",
}

// stored is a store as the functions see it: a key that is missing fails to be read.
type stored map[string]string

var environments = stored{
	"pr1":     `{"state":"live","commit":"abcd1234","frontend":"pr1/abcd1234","overrides":["service1"]}`,
	"pr2":     `{"state":"live","commit":"ffff0000","overrides":["service2"]}`,
	"pr3":     `{"state":"starting","commit":"abcd1234<script>"}`,
	"pr4":     `{"state":"gone"}`,
	"odd":     `{"state":"sleeping"}`,
	"garbled": `{"state":`,
	"default": `{"state":"live","commit":"abcd1234"}`,
}

func (s stored) module(vm *goja.Runtime) map[string]any {
	settle := func(value any, reason string) *goja.Promise {
		promise, resolve, reject := vm.NewPromise()
		if reason != "" {
			_ = reject(vm.NewGoError(&storeError{reason}))
		} else {
			_ = resolve(value)
		}
		return promise
	}
	return map[string]any{"kvs": func() map[string]any {
		return map[string]any{
			"get": func(key string) *goja.Promise {
				value := s[key]
				if value == "" {
					return settle(nil, "KeyNotFound")
				}
				return settle(value, "")
			},
		}
	}}
}

type storeError struct{ reason string }

func (e *storeError) Error() string { return e.reason }

// field is a header as both functions have it.
type field struct {
	Value string `json:"value"`
}

// result is a request or a response, whichever the function returned.
type result struct {
	URI        string           `json:"uri"`
	StatusCode int              `json:"statusCode"`
	Headers    map[string]field `json:"headers"`
	Body       struct {
		Encoding string `json:"encoding"`
		Data     string `json:"data"`
	} `json:"body"`
}

// importLine is how a function comes by the store.
const importLine = "import cf from 'cloudfront';\n"

// run calls the handler of a rendered function as CloudFront does: strict mode,
// the module given, the promise awaited. It does so with goja and, where it is
// installed, with njs, which is what CloudFront runs; both say the same.
func run(t *testing.T, code string, event map[string]any) result {
	t.Helper()
	if !strings.HasPrefix(code, importLine) {
		t.Fatalf("the function does not begin with %q", importLine)
	}
	data, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	got := runGoja(t, code, data)
	if njs := njsPath(); njs != "" {
		if diff := cmp.Diff(got, runNjs(t, njs, code, data)); diff != "" {
			t.Errorf("njs and goja differ (-goja +njs):\n%s", diff)
		}
	}
	return got
}

func runGoja(t *testing.T, code string, event []byte) result {
	t.Helper()
	vm := goja.New()
	if err := vm.Set("cf", environments.module(vm)); err != nil {
		t.Fatal(err)
	}
	source := "'use strict';" + strings.TrimPrefix(code, importLine) + "; handler(" + string(event) + ")"
	// goja runs the jobs of promises before RunString returns.
	value, err := vm.RunString(source)
	if err != nil {
		t.Fatalf("run function: %v", err)
	}
	promise, ok := value.Export().(*goja.Promise)
	if !ok || promise.State() != goja.PromiseStateFulfilled {
		t.Fatalf("the handler did not end well: %v", promise.Result())
	}
	out, err := json.Marshal(promise.Result().Export())
	if err != nil {
		t.Fatal(err)
	}
	return resultOf(t, out)
}

func resultOf(t *testing.T, out []byte) result {
	t.Helper()
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

func request(host, uri, accept string) map[string]any {
	headers := map[string]any{"host": field{host}}
	if accept != "" {
		headers["accept"] = field{accept}
	}
	return map[string]any{"method": "GET", "uri": uri, "headers": headers, "querystring": map[string]any{}, "cookies": map[string]any{}}
}

func rendered(t *testing.T) (request, response string) {
	t.Helper()
	request, response, err := Render(settings)
	if err != nil {
		t.Fatal(err)
	}
	return request, response
}
