package function

import (
	"strings"
	"testing"
	"time"
)

func TestAProcessIsKnownAndEndedByItsKey(t *testing.T) {
	f := start(t, Options{})
	for n, c := range []struct {
		name, key string
		end       func(key string)
	}{
		{"killed in the middle", "probe.1", f.Kill},
		{"ended instead of its answer", "probe.2", f.Doom},
	} {
		t.Run(c.name, func(t *testing.T) {
			event := `{"Millis":1000}`
			done := make(chan Result, 1)
			go func() {
				result, _ := f.Invoke(t.Context(), "probe", []byte(event))
				done <- result
			}()
			serving(t, f, c.key, event)
			c.end(c.key)
			if result := <-done; !strings.Contains(string(result.Payload), "Runtime.ExitError") {
				t.Errorf("the invocation ended with %s %s", result.FunctionError, result.Payload)
			}
			if f.Serving(c.key) != nil {
				t.Errorf("%s still serves", c.key)
			}
			if p := invoke(t, f, `{}`); p.Count != 1 {
				t.Errorf("run %d: the next invocation is number %d of its process, want the first of a new one", n, p.Count)
			}
		})
	}
	if f.Serving("nobody.1") != nil {
		t.Error("a key of nobody serves")
	}
}

// serving waits until the process with a key works on an event.
func serving(t *testing.T, f *Functions, key, event string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); string(f.Serving(key)) != event; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s serves %q", key, f.Serving(key))
		}
	}
}
