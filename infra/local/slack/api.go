package slack

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{1,20}$`)
	userID    = regexp.MustCompile(`^[UW][A-Z0-9]{1,20}$`)
)

// maxText of a message: docs.slack.dev/reference/methods/chat.postMessage.
const maxText = 40_000

// call is one call of a method: its arguments, whichever way they came.
type call struct {
	token string
	args  map[string]json.RawMessage
}

// text of an argument that is a string.
func (c call) text(name string) string {
	var s string
	if json.Unmarshal(c.args[name], &s) != nil {
		return ""
	}
	return s
}

// raw is an argument that is JSON; a form carries it as a string.
func (c call) raw(name string) json.RawMessage {
	if s := c.text(name); s != "" {
		return json.RawMessage(s)
	}
	return c.args[name]
}

// refusal is how Slack says no, with status 200.
type refusal struct {
	name     string
	messages []string
}

func no(name string, messages ...string) *refusal { return &refusal{name: name, messages: messages} }

type fields map[string]any

func (s *Simulator) api(w http.ResponseWriter, r *http.Request) {
	c, err := read(r)
	if err != nil {
		write(w, nil, no("invalid_arguments", err.Error()))
		return
	}
	methods := map[string]func(call) (fields, *refusal){
		"auth.test": s.authTest, "users.info": s.usersInfo, "views.open": s.viewsOpen,
		"chat.postMessage": s.postMessage, "chat.update": s.update, "chat.postEphemeral": s.postEphemeral,
	}
	method, ok := methods[r.PathValue("method")]
	switch {
	case !ok:
		write(w, nil, no("unknown_method"))
	case c.token == "":
		write(w, nil, no("not_authed"))
	case c.token != s.o.Token:
		write(w, nil, no("invalid_auth"))
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		answer, refused := method(c)
		write(w, answer, refused)
	}
}

// read takes the arguments of a form or of JSON, and the token from the header or
// from a form.
func read(r *http.Request) (call, error) {
	c := call{args: map[string]json.RawMessage{}}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token = bearer
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return c, err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		return c, json.Unmarshal(body, &c.args)
	}
	form, err := url.ParseQuery(string(body))
	for name := range form {
		if c.args[name], err = json.Marshal(form.Get(name)); err != nil {
			return c, err
		}
	}
	if c.token == "" {
		c.token = form.Get("token")
	}
	return c, err
}

func write(w http.ResponseWriter, answer fields, refused *refusal) {
	if answer == nil {
		answer = fields{}
	}
	answer["ok"] = refused == nil
	if refused != nil {
		answer["error"] = refused.name
		if len(refused.messages) > 0 {
			answer["response_metadata"] = fields{"messages": refused.messages}
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return // the caller is gone
	}
}

func (s *Simulator) authTest(call) (fields, *refusal) {
	return fields{"url": s.o.URL() + "/", "team": "preview", "user": "previewenv", "team_id": team, "user_id": app}, nil
}

func (s *Simulator) usersInfo(c call) (fields, *refusal) {
	id := c.text("user")
	if !userID.MatchString(id) {
		return nil, no("user_not_found")
	}
	name := strings.ToLower(id)
	return fields{"user": fields{"id": id, "team_id": team, "name": name, "real_name": name, "tz": "Etc/UTC"}}, nil
}

func (s *Simulator) viewsOpen(c call) (fields, *refusal) {
	id := c.text("trigger_id")
	t, ok := s.triggers[id]
	switch {
	case id == "":
		return nil, no("invalid_arguments", "[ERROR] missing required field: trigger_id")
	case !ok:
		return nil, no("invalid_trigger_id")
	case t.used:
		return nil, no("exchanged_trigger_id")
	case s.o.Clock().Sub(t.at) > triggerLife:
		return nil, no("expired_trigger_id")
	}
	view := c.raw("view")
	if faults := checkView(view); len(faults) > 0 {
		return nil, no("invalid_arguments", faults...)
	}
	t.used = true
	v := &View{ID: s.next("V"), User: t.user, View: view}
	var head struct {
		CallbackID string `json:"callback_id"`
	}
	if err := json.Unmarshal(view, &head); err != nil {
		return nil, no("invalid_arguments", err.Error())
	}
	v.CallbackID = head.CallbackID
	s.views[v.ID] = v
	return fields{"view": fields{"id": v.ID, "type": "modal", "callback_id": v.CallbackID}}, nil
}

// channel finds the channel of an argument; a person's ID is their conversation
// with the app.
func (s *Simulator) channel(c call) (string, *refusal) {
	id := c.text("channel")
	if userID.MatchString(id) {
		return "D" + id[1:], nil
	}
	switch {
	case slices.Contains(s.o.Outside, id):
		return "", no("not_in_channel")
	case !channelID.MatchString(id),
		len(s.o.Channels) > 0 && !slices.Contains(s.o.Channels, id) && id[0] != 'D':
		return "", no("channel_not_found")
	}
	return id, nil
}

// content checks what a message says.
func content(c call) (text string, blocks json.RawMessage, refused *refusal) {
	text, blocks = c.text("text"), c.raw("blocks")
	if string(blocks) == "[]" || string(blocks) == "null" {
		blocks = nil
	}
	if text == "" && len(blocks) == 0 {
		return "", nil, no("no_text")
	}
	if utf8.RuneCountInString(text) > maxText {
		return "", nil, no("msg_too_long")
	}
	if faults := checkMessage(blocks); len(faults) > 0 {
		return "", nil, no("invalid_blocks", faults...)
	}
	return text, blocks, nil
}

func (s *Simulator) postMessage(c call) (fields, *refusal) {
	channel, refused := s.channel(c)
	if refused != nil {
		return nil, refused
	}
	text, blocks, refused := content(c)
	if refused != nil {
		return nil, refused
	}
	m := s.say(channel, text, blocks)
	return fields{"channel": channel, "ts": m.TS, "message": m}, nil
}

// say puts a message of the app into a channel. The lock is held.
func (s *Simulator) say(channel, text string, blocks json.RawMessage) *Message {
	m := &Message{Channel: channel, TS: s.timestamp(), User: app, Text: text, Blocks: blocks}
	s.chat[channel] = append(s.chat[channel], m)
	return m
}

// whisper shows a message to one person. The lock is held.
func (s *Simulator) whisper(channel, user, text string, blocks json.RawMessage) Ephemeral {
	e := Ephemeral{Channel: channel, User: user, TS: s.timestamp(), Text: text, Blocks: blocks}
	s.ephemerals[user] = append(s.ephemerals[user], e)
	return e
}

func (s *Simulator) update(c call) (fields, *refusal) {
	channel, refused := s.channel(c)
	if refused != nil {
		return nil, refused
	}
	m := s.find(channel, c.text("ts"))
	if m == nil {
		return nil, no("message_not_found")
	}
	text, blocks, refused := content(c)
	if refused != nil {
		return nil, refused
	}
	s.edit(m, text, blocks)
	return fields{"channel": channel, "ts": m.TS, "text": text}, nil
}

func (s *Simulator) find(channel, ts string) *Message {
	for _, m := range s.chat[channel] {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

func (s *Simulator) edit(m *Message, text string, blocks json.RawMessage) {
	m.History = append(m.History, Version{Text: m.Text, Blocks: m.Blocks, Until: s.o.Clock()})
	m.Text, m.Blocks = text, blocks
	m.Edits++
}

func (s *Simulator) postEphemeral(c call) (fields, *refusal) {
	channel, refused := s.channel(c)
	if refused != nil {
		return nil, refused
	}
	user := c.text("user")
	if !userID.MatchString(user) {
		return nil, no("user_not_in_channel")
	}
	text, blocks, refused := content(c)
	if refused != nil {
		return nil, refused
	}
	e := s.whisper(channel, user, text, blocks)
	return fields{"message_ts": e.TS}, nil
}
