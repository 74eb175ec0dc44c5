package slack

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

var errAddress = errors.New("the response_url is no address")

// refusal is the cause of a fault that Slack's answer was.
type refusal struct {
	code  string // Slack's own name of the error
	after time.Duration
}

func (r *refusal) Error() string { return "Slack answered " + r.code }

// Code is Slack's name of the error below err, such as message_not_found, or empty.
func Code(err error) string {
	if r := new(refusal); errors.As(err, &r) {
		return r.code
	}
	return ""
}

// RetryAfter is how long Slack asked to wait, or 0.
func RetryAfter(err error) time.Duration {
	if r := new(refusal); errors.As(err, &r) {
		return r.after
	}
	return 0
}

// failed turns an error of the library into a fault with words to act on.
func failed(verb string, err error) error {
	if err == nil {
		return nil
	}
	if limited := new(slackapi.RateLimitedError); errors.As(err, &limited) {
		return rateLimited(verb, limited.RetryAfter)
	}
	var answer slackapi.SlackErrorResponse
	if errors.As(err, &answer) {
		return refused(verb, answer)
	}
	var status slackapi.StatusCodeError
	if errors.As(err, &status) && status.Code == http.StatusTooManyRequests {
		return rateLimited(verb, 0)
	}
	// The address of a request is left out: that of a response_url is a secret.
	for at := new(url.Error); errors.As(err, &at); {
		err = at.Err
	}
	f := fault.New(statemachine.ErrUnavailable, "%s: Slack did not answer as it should.", verb).
		WithNext("It is tried again; if it stays, see slack-status.com.")
	f.Cause = err
	return f
}

func rateLimited(verb string, after time.Duration) error {
	f := fault.New(statemachine.ErrThrottled, "%s: Slack takes no more messages for now.", verb)
	f.Cause = &refusal{code: "ratelimited", after: after}
	return f
}

// platform is whom a wrong installation of the app is a matter for.
const platform = "Tell the platform team: the app has to be installed again, or its token stored again."

func refused(verb string, answer slackapi.SlackErrorResponse) error {
	name, what, next := statemachine.ErrInternal, "Slack refused it: "+answer.Err+".", "This is a defect; tell the platform team."
	switch answer.Err {
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return rateLimited(verb, 0)
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		name, what, next = statemachine.ErrUnavailable, "Slack has a fault of its own.", "It is tried again."
	case "channel_not_found", "not_in_channel", "user_not_in_channel":
		name, what, next = statemachine.ErrBadRequest, "The app is not in the channel.", "Invite it with /invite @previewenv."
	case "is_archived":
		name, what, next = statemachine.ErrBadRequest, "The channel is archived.", "Give the command in another one."
	case "message_not_found", "cant_update_message", "edit_window_closed":
		name, what, next = statemachine.ErrBadRequest, "The status message is gone or cannot be edited.", "A new one is posted with the next command."
	case "missing_scope":
		what, next = "The app lacks a permission: "+answer.Needed+".", platform
	case "expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged", "invalid_trigger_id":
		name, what, next = statemachine.ErrBadRequest, "The form could not be opened in time.", "Type the command again."
	case "expired_url", "used_url":
		name, what, next = statemachine.ErrBadRequest, "Slack takes no more answers to this command.", "See the status message."
	case "invalid_blocks", "invalid_arguments", "invalid_blocks_format", "msg_blocks_too_long":
		what += " " + pointers(answer.ResponseMetadata.Messages)
	}
	if tokenRefused(answer.Err) {
		what, next = "Slack does not take the app's token.", platform
	}
	f := fault.New(name, "%s: %s", verb, strings.TrimSpace(what)).WithNext("%s", next)
	f.Cause = &refusal{code: answer.Err}
	return f
}

// tokenRefused tells that a call would go with another token.
func tokenRefused(code string) bool {
	return slices.Contains([]string{"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}, code)
}

// pointers says which block is wrong; Slack gives its place, not its content.
func pointers(messages []string) string {
	return strings.Join(messages[:min(len(messages), 3)], " ")
}

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
