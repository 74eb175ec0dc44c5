package cloudfront

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// importLine is how a function of runtime 2.0 gets its helpers; goja has no
// modules, so the object is given instead.
const importLine = "import cf from 'cloudfront';"

// function is one CloudFront function. A runtime runs one event at a time, so a
// few are kept.
type function struct {
	name    string
	program *goja.Program
	store   func(string) (string, bool)
	idle    sync.Pool
}

func compile(name, code string, store func(string) (string, bool)) (*function, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(code), importLine)
	if !ok {
		return nil, fmt.Errorf("compile %s: it does not begin with %q", name, importLine)
	}
	program, err := goja.Compile(name, "'use strict';"+rest, true)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	return &function{name: name, program: program, store: store}, nil
}

// runtime is a fresh one, or one that an earlier event left.
func (f *function) runtime() (*goja.Runtime, error) {
	if vm, ok := f.idle.Get().(*goja.Runtime); ok {
		return vm, nil
	}
	vm := goja.New()
	if err := vm.Set("cf", map[string]any{"kvs": func() map[string]any { return f.helpers(vm) }}); err != nil {
		return nil, err
	}
	_, err := vm.RunProgram(f.program)
	return vm, err
}

var errKey = errors.New("KeyNotFound")

// helpers is what cf.kvs() gives: promises, and an error for a key that is not
// there (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-custom-methods.html).
func (f *function) helpers(vm *goja.Runtime) map[string]any {
	return map[string]any{
		"get": func(key string) *goja.Promise {
			promise, resolve, reject := vm.NewPromise()
			if value, ok := f.store(key); ok {
				_ = resolve(value) // only fails when the runtime was interrupted
			} else {
				_ = reject(vm.NewGoError(errKey))
			}
			return promise
		},
		"exists": func(key string) *goja.Promise {
			promise, resolve, _ := vm.NewPromise()
			_, ok := f.store(key)
			_ = resolve(ok)
			return promise
		},
	}
}

// run gives an event to the handler and waits for what it returns.
func (f *function) run(event map[string]any) (map[string]any, error) {
	vm, err := f.runtime()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", f.name, err)
	}
	data, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("write event of %s: %w", f.name, err)
	}
	// goja runs the jobs of promises before RunString returns.
	value, err := vm.RunString("handler(" + string(data) + ")")
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", f.name, err)
	}
	promise, ok := value.Export().(*goja.Promise)
	if !ok || promise.State() != goja.PromiseStateFulfilled {
		return nil, fmt.Errorf("run %s: its promise was not kept", f.name)
	}
	out, err := json.Marshal(promise.Result().Export())
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", f.name, err)
	}
	f.idle.Put(vm)
	var answer map[string]any
	return answer, json.Unmarshal(out, &answer)
}
