package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrTimeout is what a person sees when the app took over three seconds. The
// answer is given beside it all the same.
var ErrTimeout = errors.New("operation_timeout")

// ErrDispatch is what a person sees when the app answered with another status than 200.
var ErrDispatch = errors.New("dispatch_failed")

// ErrAnswer is what a person sees when Slack cannot show the app's answer.
var ErrAnswer = errors.New("invalid_command_response")

// patience is how long Slack waits: docs.slack.dev/interactivity/implementing-slash-commands.
const patience = 3 * time.Second

// team is the one workspace.
const team = "T0PREVIEW"

// Answer is what came back at once.
type Answer struct {
	Status       int
	Text         string
	Blocks       json.RawMessage
	ResponseType string            // ephemeral or in_channel
	Errors       map[string]string // of a form, by block_id
	Duration     time.Duration
}

// Command types a slash command. What is answered is shown to the person, or in
// the channel, as the answer says.
func (s *Simulator) Command(ctx context.Context, user, channel, command, text string) (Answer, error) {
	s.mu.Lock()
	form := url.Values{
		"token": {"legacy"}, "team_id": {team}, "team_domain": {"preview"}, "api_app_id": {"A0PREVIEW"},
		"is_enterprise_install": {"false"},
		"channel_id":            {channel}, "channel_name": {"previews"},
		"user_id": {user}, "user_name": {"user-" + user},
		"command": {command}, "text": {text},
		"response_url": {s.responseURL(channel, user, "")}, "trigger_id": {s.trigger(user)},
	}
	s.mu.Unlock()
	answer, body, err := s.send(ctx, "/slack/commands", form)
	if err != nil || len(bytes.TrimSpace(body.data)) == 0 {
		return answer, err
	}
	a := answerBody{Text: string(body.data)}
	if body.json {
		a = answerBody{}
		if err := json.Unmarshal(body.data, &a); err != nil {
			return answer, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		if faults := a.faults(); len(faults) > 0 {
			return answer, fmt.Errorf("%w: %v", ErrAnswer, faults)
		}
	}
	answer.Text, answer.Blocks, answer.ResponseType = a.Text, a.Blocks, a.ResponseType
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.ResponseType == "in_channel" {
		s.say(channel, a.Text, a.Blocks)
		return answer, nil
	}
	answer.ResponseType = "ephemeral"
	s.whisper(channel, user, a.Text, a.Blocks)
	return answer, nil
}

// Press presses a button of a message, also of one that only this person sees.
func (s *Simulator) Press(ctx context.Context, user, channel, messageTS, actionID string) (Answer, error) {
	payload, err := s.press(user, channel, messageTS, actionID)
	if err != nil {
		return Answer{}, err
	}
	return s.interact(ctx, payload)
}

func (s *Simulator) press(user, channel, messageTS, actionID string) (fields, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, blocks, found := s.shown(user, channel, messageTS)
	if !found {
		return nil, fmt.Errorf("press %s: no message %s in %s", actionID, messageTS, channel)
	}
	button, block := findElement(blocks, actionID)
	if button == nil {
		return nil, fmt.Errorf("press %s: the message has no such button", actionID)
	}
	action := fields{
		"type": button["type"], "action_id": actionID, "block_id": block, "text": button["text"],
		"value": button["value"], "action_ts": s.timestamp(),
	}
	return fields{
		"type": "block_actions", "api_app_id": "A0PREVIEW", "token": "legacy",
		"user":       fields{"id": user, "username": "user-" + user, "name": "user-" + user, "team_id": team},
		"team":       fields{"id": team, "domain": "preview"},
		"enterprise": nil, "is_enterprise_install": false,
		"channel":      fields{"id": channel, "name": "previews"},
		"container":    fields{"type": "message", "message_ts": messageTS, "channel_id": channel, "is_ephemeral": false},
		"message":      fields{"type": "message", "user": app, "ts": messageTS, "text": text, "blocks": blocks},
		"state":        fields{"values": fields{}},
		"actions":      []any{action},
		"trigger_id":   s.trigger(user),
		"response_url": s.responseURL(channel, user, messageTS),
	}, nil
}

// shown finds a message that a person has before them. The lock is held.
func (s *Simulator) shown(user, channel, ts string) (string, json.RawMessage, bool) {
	if m := s.find(channel, ts); m != nil {
		return m.Text, m.Blocks, true
	}
	for _, e := range s.ephemerals[user] {
		if e.Channel == channel && e.TS == ts {
			return e.Text, e.Blocks, true
		}
	}
	return "", nil, false
}

// findElement finds a button by its action_id, and the block that it is in.
func findElement(blocks json.RawMessage, actionID string) (element object, blockID string) {
	var all []object
	if json.Unmarshal(blocks, &all) != nil {
		return nil, ""
	}
	for i, b := range all {
		id, _ := b["block_id"].(string)
		if id == "" {
			id = "b" + strconv.Itoa(i)
		}
		elements, _ := b["elements"].([]any)
		for _, e := range append(elements, b["accessory"]) {
			if e, ok := e.(object); ok && e["action_id"] == actionID {
				return e, id
			}
		}
	}
	return nil, ""
}

// interact sends an interaction's payload, as a form with one field.
func (s *Simulator) interact(ctx context.Context, payload fields) (Answer, error) {
	answer, _, err := s.interactBody(ctx, payload)
	return answer, err
}

func (s *Simulator) interactBody(ctx context.Context, payload fields) (Answer, reply, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return Answer{}, reply{}, fmt.Errorf("write payload: %w", err)
	}
	return s.send(ctx, "/slack/interactions", url.Values{"payload": {string(text)}})
}

// reply is the body of an answer.
type reply struct {
	data []byte
	json bool
}

// send signs a form and posts it to the door, as Slack does.
func (s *Simulator) send(ctx context.Context, path string, form url.Values) (Answer, reply, error) {
	body := form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.Door()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return Answer{}, reply{}, fmt.Errorf("post to door: %w", err)
	}
	timestamp := strconv.FormatInt(s.o.Clock().Unix(), 10)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	req.Header.Set("X-Slack-Request-Timestamp", timestamp)
	req.Header.Set("X-Slack-Signature", Sign(s.o.SigningSecret, timestamp, []byte(body)))
	begun := time.Now()
	resp, err := s.o.Client.Do(req)
	if err != nil {
		return Answer{}, reply{}, fmt.Errorf("post to door: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	answer := Answer{Status: resp.StatusCode, Duration: time.Since(begun)}
	if err != nil {
		return answer, reply{}, fmt.Errorf("read answer of door: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	r := reply{data: data, json: kind == "application/json"}
	switch {
	case resp.StatusCode != http.StatusOK:
		answer.Text = string(data)
		return answer, r, fmt.Errorf("%w: status %d", ErrDispatch, resp.StatusCode)
	case answer.Duration > patience:
		answer.Text = string(data)
		return answer, r, fmt.Errorf("%w: answered after %s", ErrTimeout, answer.Duration.Round(time.Millisecond))
	}
	return answer, r, nil
}

// Sign is the signature of a body at a timestamp: docs.slack.dev/authentication/verifying-requests-from-slack.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}
