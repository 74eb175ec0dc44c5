package cloudfront

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// limit bounds one run. AWS stops a function after about a millisecond of its own
// processors (docs, cloudfront-function-restrictions); this only ends endless ones.
const limit = 2 * time.Second

// imported is the one module that a function may import.
var imported = regexp.MustCompile(`(?m)^\s*import\s+cf\s+from\s+['"]cloudfront['"]\s*;?\s*$`)

// function is a CloudFront function with the runtimes that it was loaded in.
type function struct {
	name    string
	program *goja.Program
	store   func(key string) (string, bool)
	log     *slog.Logger
	idle    sync.Pool
}

// runtime runs one event at a time.
type runtime struct {
	vm      *goja.Runtime
	handler goja.Callable
	parse   goja.Callable
}

func newFunction(name, source string, store func(string) (string, bool), log *slog.Logger) (*function, error) {
	program, err := goja.Compile(name+".js", "'use strict';"+imported.ReplaceAllString(source, ""), true)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", name, err)
	}
	f := &function{name: name, program: program, store: store, log: log}
	r, err := f.load()
	if err != nil {
		return nil, err
	}
	f.idle.Put(r)
	return f, nil
}

func (f *function) load() (*runtime, error) {
	vm := goja.New()
	err := errors.Join(vm.Set("cf", f.module(vm)), vm.Set("console", f.console()))
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", f.name, err)
	}
	if _, err := vm.RunProgram(f.program); err != nil {
		return nil, fmt.Errorf("load %s: %w", f.name, err)
	}
	handler, ok := goja.AssertFunction(vm.Get("handler"))
	if !ok {
		return nil, fmt.Errorf("load %s: it has no function handler", f.name)
	}
	parse, ok := goja.AssertFunction(vm.Get("JSON").ToObject(vm).Get("parse"))
	if !ok {
		return nil, fmt.Errorf("load %s: there is no JSON.parse", f.name)
	}
	return &runtime{vm, handler, parse}, nil
}

// run calls the handler and awaits it. A runtime in which something went wrong is
// not used again.
func (f *function) run(ctx context.Context, e event) (message, error) {
	var out message
	r, ok := f.idle.Get().(*runtime)
	if !ok {
		var err error
		if r, err = f.load(); err != nil {
			return out, err
		}
	}
	in, err := json.Marshal(e)
	if err != nil {
		return out, fmt.Errorf("encode event: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { r.vm.Interrupt("the viewer left") })
	timer := time.AfterFunc(limit, func() { r.vm.Interrupt("it took too long") })
	result, err := r.call(string(in))
	// What could not be stopped in time would interrupt the next event.
	inTime, stayed := timer.Stop(), stop()
	if err != nil {
		return out, fmt.Errorf("run %s: %w", f.name, err)
	}
	if inTime && stayed {
		f.idle.Put(r)
	}
	if err := json.Unmarshal(result, &out); err != nil {
		return out, fmt.Errorf("read what %s returned: %w", f.name, err)
	}
	return out, nil
}

func (r *runtime) call(event string) ([]byte, error) {
	in, err := r.parse(goja.Undefined(), r.vm.ToValue(event))
	if err != nil {
		return nil, err
	}
	// The jobs of promises are done before the outermost call returns.
	value, err := r.handler(goja.Undefined(), in)
	if err != nil {
		return nil, err
	}
	if promise, ok := value.Export().(*goja.Promise); ok {
		switch value = promise.Result(); promise.State() {
		case goja.PromiseStateRejected:
			return nil, fmt.Errorf("the handler threw: %v", value)
		case goja.PromiseStatePending:
			return nil, errors.New("the handler waits for what never comes")
		case goja.PromiseStateFulfilled:
		}
	}
	object, ok := value.(*goja.Object)
	if !ok {
		return nil, fmt.Errorf("the handler returned %v", value)
	}
	return object.MarshalJSON()
}

// module is what "cloudfront" exports of which the functions may make use.
func (f *function) module(vm *goja.Runtime) map[string]any {
	settle := func(value any, err error) *goja.Promise {
		promise, resolve, reject := vm.NewPromise()
		if err != nil {
			_ = reject(vm.NewGoError(err))
		} else {
			_ = resolve(value)
		}
		return promise
	}
	get := func(key string, options map[string]any) *goja.Promise {
		value, ok := f.store(key)
		if !ok {
			return settle(nil, errors.New("KeyNotFound: "+key))
		}
		if options["format"] == "json" {
			var decoded any
			err := json.Unmarshal([]byte(value), &decoded)
			return settle(decoded, err)
		}
		return settle(value, nil)
	}
	loaded := time.Now().UTC().Format(time.RFC3339)
	store := map[string]any{
		"get":    get,
		"exists": func(key string) *goja.Promise { _, ok := f.store(key); return settle(ok, nil) },
		"meta": func() *goja.Promise {
			return settle(map[string]any{"creationDateTime": loaded, "lastUpdatedDateTime": loaded, "keyCount": 0}, nil)
		},
	}
	return map[string]any{"kvs": func() map[string]any { return store }}
}

func (f *function) console() map[string]any {
	log := func(args ...any) { f.log.Info(f.name, "console", fmt.Sprint(args...)) }
	return map[string]any{"log": log, "error": log}
}
