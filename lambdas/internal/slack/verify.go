package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Why a request was refused. The caller is told none of it (each is a 401); they
// tell the reader of a log a wrong clock from a wrong secret, and hold nothing of
// the request.
var (
	ErrNoSecret  = errors.New("no signing secret is configured")
	ErrUnsigned  = errors.New("the request bears no signature or no timestamp")
	ErrTimestamp = errors.New("the timestamp is no number of seconds")
	ErrStale     = errors.New("the timestamp is more than five minutes from now")
	ErrSignature = errors.New("the signature is not that of the body")
)

// window is how far a request's timestamp may be from now, either way:
// docs.slack.dev/authentication/verifying-requests-from-slack.
const window = 5 * time.Minute

// Verify refuses a request that Slack did not sign with secret within the last
// five minutes. The header has lower-case keys, as Lambda gives them; body is the
// raw one. A replay within the five minutes passes: whoever acts on the request
// makes that harmless.
//
// The library's verifier reads the clock itself, so that its window cannot be tested.
func Verify(secret string, header map[string]string, body []byte, now time.Time) error {
	if secret == "" {
		return ErrNoSecret
	}
	signature, timestamp := header["x-slack-signature"], header["x-slack-request-timestamp"]
	if signature == "" || timestamp == "" {
		return ErrUnsigned
	}
	seconds, err := strconv.ParseUint(timestamp, 10, 62)
	if err != nil {
		return ErrTimestamp
	}
	if now.Sub(time.Unix(int64(seconds), 0)).Abs() > window {
		return ErrStale
	}
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "v0="))
	if err != nil || !strings.HasPrefix(signature, "v0=") {
		return ErrSignature
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), given) {
		return ErrSignature
	}
	return nil
}
