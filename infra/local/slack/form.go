package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Submit fills in an open form and sends it. Values are by block_id: a string for
// a text input, a slice of option values (or one) for a select or checkboxes;
// what is left out keeps what stands there. As in Slack, a form that lacks a
// needed input is not sent at all. A form with errors stays open.
func (s *Simulator) Submit(ctx context.Context, viewID string, values map[string]any) (Answer, error) {
	payload, err := s.submission(viewID, values)
	if err != nil {
		return Answer{}, err
	}
	answer, body, err := s.interactBody(ctx, payload)
	if err != nil {
		return answer, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(bytes.TrimSpace(body.data)) == 0 {
		delete(s.views, viewID)
		return answer, nil
	}
	var a struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	if err := json.Unmarshal(body.data, &a); err != nil {
		return answer, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	switch a.Action {
	case "errors":
		answer.Errors = a.Errors
		return answer, s.checkErrors(viewID, a.Errors)
	case "update":
		if faults := checkView(a.View); len(faults) > 0 {
			return answer, fmt.Errorf("%w: %v", ErrAnswer, faults)
		}
		s.views[viewID].View = a.View
	case "", "clear":
		delete(s.views, viewID)
	default:
		return answer, fmt.Errorf("%w: response_action %q", ErrAnswer, a.Action)
	}
	return answer, nil
}

// checkErrors refuses errors that Slack cannot show. The lock is held.
func (s *Simulator) checkErrors(viewID string, errs map[string]string) error {
	inputs, err := inputsOf(s.views[viewID].View)
	if err != nil {
		return err
	}
	if len(errs) == 0 {
		return fmt.Errorf("%w: no errors", ErrAnswer)
	}
	for block, text := range errs {
		if !slices.ContainsFunc(inputs, func(i input) bool { return i.BlockID == block }) || text == "" {
			return fmt.Errorf("%w: an error on %q, which is no input", ErrAnswer, block)
		}
	}
	return nil
}

// input is an input block of a form.
type input struct {
	Type     string `json:"type"`
	BlockID  string `json:"block_id"`
	Optional bool   `json:"optional"`
	Element  struct {
		Type         string   `json:"type"`
		ActionID     string   `json:"action_id"`
		MaxLength    int      `json:"max_length"`
		InitialValue string   `json:"initial_value"`
		Initial      []object `json:"initial_options"`
		Options      []object `json:"options"`
		Groups       []struct {
			Options []object `json:"options"`
		} `json:"option_groups"`
	} `json:"element"`
}

func inputsOf(view json.RawMessage) ([]input, error) {
	var v struct {
		Blocks []input `json:"blocks"`
	}
	if err := json.Unmarshal(view, &v); err != nil {
		return nil, fmt.Errorf("read view: %w", err)
	}
	return slices.DeleteFunc(v.Blocks, func(b input) bool { return b.Type != "input" }), nil
}

func (s *Simulator) submission(viewID string, values map[string]any) (fields, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.views[viewID]
	if !ok {
		return nil, fmt.Errorf("submit %s: no such form is open", viewID)
	}
	inputs, err := inputsOf(v.View)
	if err != nil {
		return nil, err
	}
	left := len(values)
	state := fields{}
	for _, in := range inputs {
		given, ok := values[in.BlockID]
		if ok {
			left--
		}
		element, err := in.fill(given, ok)
		if err != nil {
			return nil, fmt.Errorf("submit %s: %w", viewID, err)
		}
		state[in.BlockID] = fields{in.Element.ActionID: element}
	}
	if left > 0 {
		return nil, fmt.Errorf("submit %s: a value is for an input that the form lacks", viewID)
	}
	var view fields
	if err := json.Unmarshal(v.View, &view); err != nil {
		return nil, fmt.Errorf("read view: %w", err)
	}
	view["id"], view["state"], view["hash"] = viewID, fields{"values": state}, "156772938.1827394"
	return fields{
		"type": "view_submission", "api_app_id": "A0PREVIEW", "token": "legacy", "trigger_id": s.trigger(v.User),
		"team":       fields{"id": team, "domain": "preview"},
		"user":       fields{"id": v.User, "username": "user-" + v.User, "name": "user-" + v.User, "team_id": team},
		"enterprise": nil, "is_enterprise_install": false, "response_urls": []any{}, "view": view,
	}, nil
}

// fill gives the state of an input, as the client of a person would.
func (i input) fill(given any, ok bool) (fields, error) {
	if i.Element.Type == "plain_text_input" {
		text := i.Element.InitialValue
		if ok {
			if text, ok = given.(string); !ok {
				return nil, fmt.Errorf("%s takes a string", i.BlockID)
			}
		}
		if text == "" && !i.Optional {
			return nil, fmt.Errorf("%s is needed", i.BlockID)
		}
		if i.Element.MaxLength > 0 && utf8.RuneCountInString(text) > i.Element.MaxLength {
			return nil, fmt.Errorf("%s takes at most %d characters", i.BlockID, i.Element.MaxLength)
		}
		if text == "" {
			return fields{"type": i.Element.Type, "value": nil}, nil
		}
		return fields{"type": i.Element.Type, "value": text}, nil
	}
	chosen := i.Element.Initial
	if ok {
		var err error
		if chosen, err = i.choose(given); err != nil {
			return nil, err
		}
	}
	if len(chosen) == 0 && !i.Optional {
		return nil, fmt.Errorf("%s is needed", i.BlockID)
	}
	if i.Element.Type == "static_select" || i.Element.Type == "radio_buttons" {
		if len(chosen) == 0 {
			return fields{"type": i.Element.Type, "selected_option": nil}, nil
		}
		return fields{"type": i.Element.Type, "selected_option": chosen[0]}, nil
	}
	if chosen == nil {
		chosen = []object{}
	}
	return fields{"type": i.Element.Type, "selected_options": chosen}, nil
}

func (i input) choose(given any) ([]object, error) {
	var names []string
	switch g := given.(type) {
	case string:
		names = []string{g}
	case []string:
		names = g
	default:
		return nil, fmt.Errorf("%s takes option values", i.BlockID)
	}
	options := slices.Clone(i.Element.Options)
	for _, g := range i.Element.Groups {
		options = append(options, g.Options...)
	}
	chosen := []object{}
	for _, name := range names {
		at := slices.IndexFunc(options, func(o object) bool { return o["value"] == name })
		if at < 0 {
			return nil, fmt.Errorf("%s has no option %q", i.BlockID, name)
		}
		chosen = append(chosen, options[at])
	}
	return chosen, nil
}
