package slack_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf16"

	"previewenv/lambdas/internal/slack"
)

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// checkMessage holds a message to Slack's limits (npm @slack/types 3.2.0), as the
// JSON that is sent.
func checkMessage(t *testing.T, blocks []slack.Block, text string) {
	t.Helper()
	if text == "" || length(text) > 3000 {
		t.Errorf("the text has %d characters", length(text))
	}
	b, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	all := decode[[]map[string]any](t, b)
	if len(all) > 50 {
		t.Errorf("there are %d blocks", len(all))
	}
	ids := map[string]bool{}
	for i, block := range all {
		if id, _ := block["block_id"].(string); id != "" && ids[id] {
			t.Errorf("block_id %q stands twice", id)
		} else {
			ids[id] = true
		}
		walk(t, fmt.Sprintf("block %d", i), "", block)
	}
}

// most characters of a text, by the type of what holds it and the key it is at.
var most = map[string]int{
	"header/text": 150, "section/text": 3000, "section/fields": 2000, "context/elements": 3000,
	"button/text": 75, "button/value": 2000, "button/action_id": 255,
	"confirm/title": 100, "confirm/text": 300, "confirm/confirm": 30, "confirm/deny": 30,
	"option/text": 75, "option/value": 75, "option_groups/label": 75,
	"input/label": 2000, "input/hint": 2000, "plain_text_input/initial_value": 3000,
	"plain_text_input/placeholder": 150, "multi_static_select/placeholder": 150,
	"modal/title": 24, "modal/submit": 24, "modal/close": 24, "modal/private_metadata": 3000, "modal/callback_id": 255,
}

// pieces at most, of a list.
var pieces = map[string]int{
	"section/fields": 10, "actions/elements": 25, "context/elements": 10, "modal/blocks": 100,
	"multi_static_select/options": 100, "multi_static_select/option_groups": 100, "option_groups/options": 100, "checkboxes/options": 10,
}

func walk(t *testing.T, at, holder string, v any) {
	t.Helper()
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	kind, _ := o["type"].(string)
	if kind == "" {
		kind = holder
	}
	for key, inner := range o {
		place := kind + "/" + key
		switch inner := inner.(type) {
		case string:
			within(t, at, place, inner)
		case []any:
			if n, ok := pieces[place]; ok && (len(inner) > n || len(inner) == 0) {
				t.Errorf("%s: %s has %d pieces", at, place, len(inner))
			}
			for i, e := range inner {
				into := map[string]string{"options": "option", "initial_options": "option", "option_groups": "option_groups"}[key]
				if e, ok := e.(map[string]any); ok && e["text"] != nil && (key == "fields" || key == "elements") {
					if s, ok := e["text"].(string); ok {
						within(t, at, place, s)
					}
				}
				walk(t, fmt.Sprintf("%s/%s/%d", at, key, i), into, e)
			}
		case map[string]any:
			if s, ok := inner["text"].(string); ok {
				within(t, at, place, s)
			}
			walk(t, at+"/"+key, key, inner)
		}
	}
}

func within(t *testing.T, at, place, s string) {
	t.Helper()
	n, ok := most[place]
	if ok && (length(s) > n || s == "") {
		t.Errorf("%s: %s has %d characters, of %d", at, place, length(s), n)
	}
}

func length(s string) int { return len(utf16.Encode([]rune(s))) }
