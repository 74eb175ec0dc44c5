package edge

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/dop251/goja"
)

// browser is what the script of the page sees: timers that are over at once, and a
// network that fails at the second ask.
const browser = `
const pauses = [], text = { textContent: '' };
let asked = 0, reloads = 0;
const document = { getElementById: () => text }, location = { reload: () => { reloads++; } };
const setTimeout = (f, ms) => { pauses.push(ms); Promise.resolve().then(f); };
const fetch = path => {
  asked++;
  if (asked === 2 || path !== '/_preview') return Promise.reject(new Error('no network'));
  return Promise.resolve({ json: () => ({ state: asked >= liveAfter ? 'live' : 'starting' }) });
};
`

func TestThePageLooksAgainWithGrowingPausesAndAnEnd(t *testing.T) {
	code, _ := rendered(t)
	page := run(t, code, map[string]any{"request": request("pr3.preview.example.com", "/", "text/html")}).Body.Data
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(page)
	if script == nil {
		t.Fatalf("the page has no script:\n%s", page)
	}
	tests := map[string]struct{ liveAfter, reloads, least, most int }{
		"what never comes is given up": {1000, 0, 20, 30},
		"what comes is shown":          {5, 1, 5, 5},
		"what is there at once, too":   {1, 1, 1, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			vm := goja.New()
			if _, err := vm.RunString(fmt.Sprintf("const liveAfter = %d;", test.liveAfter) + browser + script[1]); err != nil {
				t.Fatal(err)
			}
			var pauses []int
			var reloads int
			if err := vm.ExportTo(evaluate(t, vm, "pauses"), &pauses); err != nil {
				t.Fatal(err)
			}
			if err := vm.ExportTo(evaluate(t, vm, "reloads"), &reloads); err != nil {
				t.Fatal(err)
			}
			if reloads != test.reloads || len(pauses) < test.least || len(pauses) > test.most || !slices.IsSorted(pauses) {
				t.Errorf("%d reloads after the pauses %v ms", reloads, pauses)
			}
			if given := evaluate(t, vm, "text.textContent.includes('stopped looking')").ToBoolean(); given != (test.reloads == 0) {
				t.Errorf("the page says %v", evaluate(t, vm, "text.textContent"))
			}
		})
	}
}

func evaluate(t *testing.T, vm *goja.Runtime, expression string) goja.Value {
	t.Helper()
	value, err := vm.RunString(expression)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
