package slack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Command is a slash command as Slack delivers it.
type Command struct {
	Name         string // with its slash: /provisionenv
	Text         string // all that follows the name
	UserID       string
	UserName     string
	ChannelID    string
	ChannelName  string
	TeamID       string
	EnterpriseID string
	ResponseURL  string // takes 5 answers within 30 minutes
	TriggerID    string // opens one form within 3 s; differs with every delivery by a person
}

// ParseCommand reads the body of a slash command. An error is a body that is no
// form or names no command.
func ParseCommand(body []byte) (Command, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Command{}, errors.New("read slash command: the body is no form")
	}
	if form.Get("command") == "" || form.Get("user_id") == "" {
		return Command{}, errors.New("read slash command: the form lacks command or user_id")
	}
	return Command{
		Name:         form.Get("command"),
		Text:         form.Get("text"),
		UserID:       form.Get("user_id"),
		UserName:     form.Get("user_name"),
		ChannelID:    form.Get("channel_id"),
		ChannelName:  form.Get("channel_name"),
		TeamID:       form.Get("team_id"),
		EnterpriseID: form.Get("enterprise_id"),
		ResponseURL:  form.Get("response_url"),
		TriggerID:    form.Get("trigger_id"),
	}, nil
}

// Kind is the type of an Interaction, in Slack's words.
type Kind string

// The kinds that the suite answers; any other is acknowledged and left alone.
const (
	ViewSubmission Kind = "view_submission"
	BlockActions   Kind = "block_actions"
)

// Interaction is a form that was sent or a button that was pressed.
type Interaction struct {
	Kind         Kind
	UserID       string
	UserName     string
	TeamID       string
	EnterpriseID string
	ChannelID    string // of a form, the one it was opened from
	TriggerID    string
	ResponseURL  string // of a button

	ActionID  string // of a button: ActionExtend or ActionCleanUp
	Value     string // of a button: the label
	ActionTS  string // of a button: differs with every press
	MessageTS string // of a button: the message that holds it

	CallbackID string           // of a form
	ViewID     string           // of a form: differs with every opening
	Inputs     map[string]Input // of a form, by block_id
}

// Input is what stands in one input of a form.
type Input struct {
	Value    string   // of a text input
	Selected []string // of a select or of checkboxes
}

// payload is the part of Slack's interaction payload that is used. The library's
// type also decodes every block of the message, and fails on what it cannot read.
type payload struct {
	Type        Kind   `json:"type"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	User        struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		Name     string `json:"name"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Team       *identified `json:"team"`
	Enterprise *identified `json:"enterprise"`
	Channel    *identified `json:"channel"`
	Container  struct {
		MessageTS string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
	} `json:"container"`
	Actions []struct {
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
		ActionTS string `json:"action_ts"`
	} `json:"actions"`
	View *struct {
		ID              string `json:"id"`
		CallbackID      string `json:"callback_id"`
		PrivateMetadata string `json:"private_metadata"`
		State           struct {
			Values map[string]map[string]state `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

type identified struct {
	ID string `json:"id"`
}

func (i *identified) id() string {
	if i == nil {
		return ""
	}
	return i.ID
}

type state struct {
	Value           string   `json:"value"`
	SelectedOption  *option  `json:"selected_option"`
	SelectedOptions []option `json:"selected_options"`
}

type option struct {
	Value string `json:"value"`
}

// ParseInteraction reads the body of an interaction: a form whose field payload
// is JSON. An error is a body that is neither; a kind that is not known is none.
func ParseInteraction(body []byte) (Interaction, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("payload") == "" {
		return Interaction{}, errors.New("read interaction: the body is no form with a payload")
	}
	var p payload
	if err := json.Unmarshal([]byte(form.Get("payload")), &p); err != nil {
		return Interaction{}, errors.New("read interaction: the payload is not Slack's JSON")
	}
	if p.Type == "" || p.User.ID == "" {
		return Interaction{}, errors.New("read interaction: the payload lacks type or user")
	}
	in := Interaction{
		Kind:         p.Type,
		UserID:       p.User.ID,
		UserName:     cmp.Or(p.User.Username, p.User.Name),
		TeamID:       cmp.Or(p.Team.id(), p.User.TeamID),
		EnterpriseID: p.Enterprise.id(),
		ChannelID:    cmp.Or(p.Channel.id(), p.Container.ChannelID),
		TriggerID:    p.TriggerID,
		ResponseURL:  p.ResponseURL,
		MessageTS:    p.Container.MessageTS,
	}
	switch p.Type {
	case BlockActions:
		if len(p.Actions) == 0 {
			return Interaction{}, fmt.Errorf("read interaction: %s holds no action", p.Type)
		}
		in.ActionID, in.Value, in.ActionTS = p.Actions[0].ActionID, p.Actions[0].Value, p.Actions[0].ActionTS
	case ViewSubmission:
		if p.View == nil {
			return Interaction{}, fmt.Errorf("read interaction: %s holds no view", p.Type)
		}
		in.CallbackID, in.ViewID, in.ChannelID = p.View.CallbackID, p.View.ID, p.View.PrivateMetadata
		in.Inputs = inputs(p.View.State.Values)
	}
	return in, nil
}

// inputs takes the one element of each block: an input block has no more.
func inputs(values map[string]map[string]state) map[string]Input {
	all := make(map[string]Input, len(values))
	for block, elements := range values {
		for _, s := range elements {
			in := Input{Value: s.Value}
			if s.SelectedOption != nil {
				in.Selected = append(in.Selected, s.SelectedOption.Value)
			}
			for _, o := range s.SelectedOptions {
				in.Selected = append(in.Selected, o.Value)
			}
			all[block] = in
		}
	}
	return all
}
