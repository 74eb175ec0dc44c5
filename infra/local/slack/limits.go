package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The limits of Block Kit: docs.slack.dev/reference/block-kit, docs.slack.dev/reference/views,
// and npm @slack/types 3.2.0.
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxID            = 255
	maxOptions       = 100
	maxChoices       = 10 // of checkboxes and radio buttons
)

type object = map[string]any

// checker gathers what Slack would refuse, in its manner: what, and where.
type checker struct {
	faults []string
	ids    map[string]bool // block_ids and action_ids seen
}

func (c *checker) add(at, format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf("[ERROR] "+format, args...)+" [json-pointer:"+at+"]")
}

// checkMessage gives what Slack refuses in the blocks of a message; none is fine.
func checkMessage(blocks json.RawMessage) []string {
	if len(blocks) == 0 {
		return nil
	}
	c := &checker{ids: map[string]bool{}}
	var all []any
	if err := json.Unmarshal(blocks, &all); err != nil {
		return []string{"[ERROR] blocks must be an array"}
	}
	if len(all) > maxMessageBlocks {
		c.add("/blocks", "no more than %d items allowed", maxMessageBlocks)
	}
	c.blocks("/blocks", all)
	return c.faults
}

// checkView gives what Slack refuses in a modal.
func checkView(view json.RawMessage) []string {
	c := &checker{ids: map[string]bool{}}
	var v object
	if err := json.Unmarshal(view, &v); err != nil {
		return []string{"[ERROR] view must be an object"}
	}
	if v["type"] != "modal" {
		c.add("/view/type", "must be modal")
	}
	c.text("/view/title", v["title"], 24, true, "plain_text")
	c.text("/view/close", v["close"], 24, false, "plain_text")
	all, _ := v["blocks"].([]any)
	hasInput := false
	for _, b := range all {
		if b, ok := b.(object); ok && b["type"] == "input" {
			hasInput = true
		}
	}
	c.text("/view/submit", v["submit"], 24, hasInput, "plain_text")
	c.length("/view/private_metadata", v["private_metadata"], 3000)
	c.length("/view/callback_id", v["callback_id"], maxID)
	if len(all) == 0 {
		c.add("/view/blocks", "must have a block")
	}
	if len(all) > maxViewBlocks {
		c.add("/view/blocks", "no more than %d items allowed", maxViewBlocks)
	}
	c.blocks("/view/blocks", all)
	return c.faults
}

func (c *checker) blocks(at string, all []any) {
	for i, b := range all {
		here := fmt.Sprintf("%s/%d", at, i)
		block, ok := b.(object)
		if !ok {
			c.add(here, "must be an object")
			continue
		}
		c.id(here, "block_id", block)
		c.block(here, block)
	}
}

func (c *checker) block(at string, b object) {
	switch b["type"] {
	case "divider":
	case "header":
		c.text(at+"/text", b["text"], 150, true, "plain_text")
	case "section":
		fields, _ := b["fields"].([]any)
		if b["text"] == nil && len(fields) == 0 {
			c.add(at, "text or fields is required")
		}
		c.text(at+"/text", b["text"], 3000, false, "plain_text", "mrkdwn")
		c.count(at+"/fields", len(fields), 10)
		for i, f := range fields {
			c.text(fmt.Sprintf("%s/fields/%d", at, i), f, 2000, true, "plain_text", "mrkdwn")
		}
		if accessory, ok := b["accessory"].(object); ok {
			c.element(at+"/accessory", accessory)
		}
	case "context":
		elements, _ := b["elements"].([]any)
		c.some(at+"/elements", len(elements), 10)
		for i, e := range elements {
			c.text(fmt.Sprintf("%s/elements/%d", at, i), e, 3000, true, "plain_text", "mrkdwn")
		}
	case "actions":
		elements, _ := b["elements"].([]any)
		c.some(at+"/elements", len(elements), 25)
		for i, e := range elements {
			element, _ := e.(object)
			c.element(fmt.Sprintf("%s/elements/%d", at, i), element)
		}
	case "input":
		c.text(at+"/label", b["label"], 2000, true, "plain_text")
		c.text(at+"/hint", b["hint"], 2000, false, "plain_text")
		element, _ := b["element"].(object)
		c.element(at+"/element", element)
	default:
		c.add(at, "unsupported type: %v", b["type"])
	}
}

func (c *checker) element(at string, e object) {
	c.id(at, "action_id", e)
	if confirm, ok := e["confirm"].(object); ok {
		c.text(at+"/confirm/title", confirm["title"], 100, true, "plain_text")
		c.text(at+"/confirm/text", confirm["text"], 300, true, "plain_text", "mrkdwn")
		c.text(at+"/confirm/confirm", confirm["confirm"], 30, true, "plain_text")
		c.text(at+"/confirm/deny", confirm["deny"], 30, false, "plain_text")
	}
	c.text(at+"/placeholder", e["placeholder"], 150, false, "plain_text")
	switch kind, _ := e["type"].(string); kind {
	case "button":
		c.text(at+"/text", e["text"], 75, true, "plain_text")
		c.length(at+"/value", e["value"], 2000)
		c.length(at+"/url", e["url"], 3000)
	case "static_select", "multi_static_select":
		c.selectable(at, e)
	case "checkboxes", "radio_buttons":
		options, _ := e["options"].([]any)
		c.some(at+"/options", len(options), maxChoices)
		c.options(at+"/options", options)
		c.chosen(at, e, options)
	case "plain_text_input":
		c.length(at+"/initial_value", e["initial_value"], 3000)
		if most, ok := e["max_length"].(float64); ok && (most < 1 || most > 3000) {
			c.add(at+"/max_length", "must be from 1 to 3000")
		}
	default:
		c.add(at, "unsupported type: %v", e["type"])
	}
}

func (c *checker) selectable(at string, e object) {
	options, _ := e["options"].([]any)
	groups, _ := e["option_groups"].([]any)
	if (len(options) > 0) == (len(groups) > 0) {
		c.add(at, "either options or option_groups is required")
	}
	c.count(at+"/options", len(options), maxOptions)
	c.count(at+"/option_groups", len(groups), maxOptions)
	c.options(at+"/options", options)
	for i, g := range groups {
		here := fmt.Sprintf("%s/option_groups/%d", at, i)
		group, _ := g.(object)
		c.text(here+"/label", group["label"], 75, true, "plain_text")
		inner, _ := group["options"].([]any)
		c.some(here+"/options", len(inner), maxOptions)
		c.options(here+"/options", inner)
		options = append(options, inner...)
	}
	c.chosen(at, e, options)
}

func (c *checker) options(at string, all []any) {
	for i, o := range all {
		here := fmt.Sprintf("%s/%d", at, i)
		option, _ := o.(object)
		c.text(here+"/text", option["text"], 75, true, "plain_text", "mrkdwn")
		c.text(here+"/description", option["description"], 75, false, "plain_text", "mrkdwn")
		if value, _ := option["value"].(string); value == "" {
			c.add(here+"/value", "missing required field: value")
		}
		c.length(here+"/value", option["value"], 75)
	}
}

// chosen holds the initial options to those that there are.
func (c *checker) chosen(at string, e object, options []any) {
	values := map[any]bool{}
	for _, o := range options {
		if o, ok := o.(object); ok {
			values[o["value"]] = true
		}
	}
	initial, _ := e["initial_options"].([]any)
	for _, o := range initial {
		if o, ok := o.(object); !ok || !values[o["value"]] {
			c.add(at+"/initial_options", "is not among the options")
		}
	}
}

// id holds block_id and action_id to their length, and to being the only one of
// their surface, or of their block.
func (c *checker) id(at, name string, o object) {
	id, _ := o[name].(string)
	c.length(at+"/"+name, o[name], maxID)
	if id == "" {
		return
	}
	key := name + "=" + id
	if name == "action_id" {
		key = at[:strings.LastIndex(at, "/")] + "|" + key
	}
	if c.ids[key] {
		c.add(at, "%s %q already exists", name, id)
	}
	c.ids[key] = true
}

func (c *checker) text(at string, v any, most int, needed bool, kinds ...string) {
	if v == nil {
		if needed {
			c.add(at, "missing required field")
		}
		return
	}
	o, _ := v.(object)
	kind, _ := o["type"].(string)
	if !strings.Contains(" "+strings.Join(kinds, " ")+" ", " "+kind+" ") {
		c.add(at, "must be of type %s", strings.Join(kinds, " or "))
	}
	s, _ := o["text"].(string)
	if s == "" {
		c.add(at+"/text", "must be more than 0 characters")
	}
	c.length(at+"/text", o["text"], most)
}

func (c *checker) length(at string, v any, most int) {
	if s, ok := v.(string); ok && utf8.RuneCountInString(s) > most {
		c.add(at, "must be less than %d characters", most+1)
	}
}

func (c *checker) count(at string, n, most int) {
	if n > most {
		c.add(at, "no more than %d items allowed", most)
	}
}

func (c *checker) some(at string, n, most int) {
	if n == 0 {
		c.add(at, "must have an item")
	}
	c.count(at, n, most)
}
