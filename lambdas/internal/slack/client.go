package slack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	slackapi "github.com/slack-go/slack"
)

// Client calls the few methods of Slack's Web API that the suite uses. Its errors
// are faults, which Code tells apart; none holds the token, a response_url or what
// was sent.
type Client struct {
	source Token
	url    string
	http   *http.Client
}

// Token gives the bot token to use; refused is the one that Slack has just refused, or
// empty.
type Token func(ctx context.Context, refused string) (string, error)

// New makes a client of a bot token. apiURL is https://slack.com/api/ but in tests.
func New(token, apiURL string, client *http.Client) *Client {
	return With(func(context.Context, string) (string, error) { return token, nil }, apiURL, client)
}

// With makes a client that asks source for its token at each call, and once more when
// Slack refuses one. It calls nothing yet.
func With(source Token, apiURL string, client *http.Client) *Client {
	return &Client{source: source, url: strings.TrimSuffix(apiURL, "/") + "/", http: client}
}

// call does one call with the token of now. What was refused for its token has had no
// effect, so that it is done again with another.
func (c *Client) call(ctx context.Context, verb string, do func(api *slackapi.Client) error) error {
	token, err := c.source(ctx, "")
	if err != nil {
		return err
	}
	err = failed(verb, do(c.api(token)))
	if !tokenRefused(Code(err)) {
		return err
	}
	another, asked := c.source(ctx, token)
	if asked != nil || another == token {
		return err
	}
	return failed(verb, do(c.api(another)))
}

func (c *Client) api(token string) *slackapi.Client {
	return slackapi.New(token, slackapi.OptionAPIURL(c.url), slackapi.OptionHTTPClient(c.http))
}

// OpenView opens a form for whoever made the trigger, which lasts 3 s and opens one.
func (c *Client) OpenView(ctx context.Context, triggerID string, view slackapi.ModalViewRequest) error {
	return c.call(ctx, "open form", func(api *slackapi.Client) error {
		_, err := api.OpenViewContext(ctx, triggerID, view)
		return err
	})
}

// Post sends a message to a channel, or to a person by their user ID. It returns
// the channel and the timestamp that Update needs. A repeat sends a second message.
func (c *Client) Post(ctx context.Context, channel, text string, blocks []Block) (channelID, ts string, err error) {
	err = c.call(ctx, "post message", func(api *slackapi.Client) error {
		var err error
		channelID, ts, err = api.PostMessageContext(ctx, channel, message(text, blocks)...)
		return err
	})
	return channelID, ts, err
}

// Update edits a message. A repeat changes nothing.
func (c *Client) Update(ctx context.Context, channel, ts, text string, blocks []Block) error {
	return c.call(ctx, "update message", func(api *slackapi.Client) error {
		_, _, _, err := api.UpdateMessageContext(ctx, channel, ts, message(text, blocks)...)
		return err
	})
}

// Ephemeral sends a message that only one person in a channel sees, and only if
// they are there now.
func (c *Client) Ephemeral(ctx context.Context, channel, user, text string, blocks []Block) error {
	return c.call(ctx, "post ephemeral message", func(api *slackapi.Client) error {
		_, err := api.PostEphemeralContext(ctx, channel, user, message(text, blocks)...)
		return err
	})
}

func message(text string, blocks []Block) []slackapi.MsgOption {
	options := []slackapi.MsgOption{
		slackapi.MsgOptionText(text, false),
		slackapi.MsgOptionDisableLinkUnfurl(),
		slackapi.MsgOptionDisableMediaUnfurl(),
	}
	if len(blocks) > 0 {
		options = append(options, slackapi.MsgOptionBlocks(blocks...))
	}
	return options
}

// Respond answers a command or a button late: at most 5 times within 30 minutes
// (docs.slack.dev/interactivity/implementing-slash-commands).
func (c *Client) Respond(ctx context.Context, responseURL string, a Answer) error {
	body, err := a.Body()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, responseURL, bytes.NewReader(body))
	if err != nil {
		return failed("respond", errAddress) // the parser's own error holds the URL
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := c.http.Do(req)
	if err != nil {
		return failed("respond", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection is used again
	switch {
	case resp.StatusCode == http.StatusOK:
		return nil
	case resp.StatusCode == http.StatusTooManyRequests:
		return failed("respond", &slackapi.RateLimitedError{RetryAfter: retryAfter(resp.Header)})
	case resp.StatusCode < 500:
		return failed("respond", slackapi.SlackErrorResponse{Err: "expired_url"})
	}
	return failed("respond", fmt.Errorf("status %d", resp.StatusCode))
}
