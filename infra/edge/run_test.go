package edge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

var settings = Settings{
	BaseDomain: "preview.example.com",
	Backends: []Backend{
		{Name: "service1", Paths: []string{"/service1", "/service1/*", "/service2/v1/own/*"}},
		{Name: "service2", Paths: []string{"/service2/v?/*", "/service1/deep/*"}},
	},
	Frontend: "web",
}

// stored is a store as the functions see it. The key "broken" fails to be read,
// and "vanishing" is gone between the look and the read.
type stored map[string]string

var environments = stored{
	"pr1":       `{"state":"live","commit":"abcd1234","frontend":"pr1/abcd1234","overrides":["service1"]}`,
	"pr2":       `{"state":"live","commit":"ffff0000","overrides":["service2"]}`,
	"pr3":       `{"state":"starting","commit":"abcd1234<script>"}`,
	"odd":       `{"state":"sleeping"}`,
	"garbled":   `{"state":`,
	"default":   `{"state":"live","commit":"abcd1234"}`,
	"broken":    "",
	"vanishing": "",
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
			"exists": func(key string) *goja.Promise {
				if key == "broken" {
					return settle(nil, "the store does not answer")
				}
				_, ok := s[key]
				return settle(ok, "")
			},
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

// run calls the handler of a rendered function as CloudFront does: strict mode,
// the module given, the promise awaited.
func run(t *testing.T, code string, event map[string]any) result {
	t.Helper()
	const importLine = "import cf from 'cloudfront';\n"
	if !strings.HasPrefix(code, importLine) {
		t.Fatalf("the function does not begin with %q", importLine)
	}
	vm := goja.New()
	if err := vm.Set("cf", environments.module(vm)); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	source := "'use strict';" + strings.TrimPrefix(code, importLine) + "; handler(" + string(data) + ")"
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
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
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
