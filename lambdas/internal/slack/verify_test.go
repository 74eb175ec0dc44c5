package slack_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"previewenv/lambdas/internal/slack"
)

// The example of docs.slack.dev/authentication/verifying-requests-from-slack.
const (
	exampleSecret    = "8f742231b10e8888abcd99yyyzzz85a5"
	exampleTimestamp = "1531420618"
	exampleBody      = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	exampleSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
)

func TestVerify(t *testing.T) {
	at := time.Unix(1531420618, 0)
	header := func(timestamp, signature string) map[string]string {
		return map[string]string{"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
	}
	good := header(exampleTimestamp, exampleSignature)
	for name, c := range map[string]struct {
		secret string
		header map[string]string
		body   string
		now    time.Time
		want   error
	}{
		"Slack's own example passes":             {exampleSecret, good, exampleBody, at, nil},
		"five minutes late passes":               {exampleSecret, good, exampleBody, at.Add(5 * time.Minute), nil},
		"more than five minutes late is stale":   {exampleSecret, good, exampleBody, at.Add(5*time.Minute + time.Second), slack.ErrStale},
		"more than five minutes ahead is stale":  {exampleSecret, good, exampleBody, at.Add(-5*time.Minute - time.Second), slack.ErrStale},
		"another body is refused":                {exampleSecret, good, exampleBody + "&", at, slack.ErrSignature},
		"another secret is refused":              {"8f742231b10e8888abcd99yyyzzz85a6", good, exampleBody, at, slack.ErrSignature},
		"no secret is refused":                   {"", good, exampleBody, at, slack.ErrNoSecret},
		"no signature is refused":                {exampleSecret, header(exampleTimestamp, ""), exampleBody, at, slack.ErrUnsigned},
		"no timestamp is refused":                {exampleSecret, header("", exampleSignature), exampleBody, at, slack.ErrUnsigned},
		"a timestamp in words is refused":        {exampleSecret, header("now", exampleSignature), exampleBody, at, slack.ErrTimestamp},
		"a timestamp beyond all time is refused": {exampleSecret, header("4611686018427387903", exampleSignature), exampleBody, at, slack.ErrStale},
		"a shortened signature is refused":       {exampleSecret, header(exampleTimestamp, exampleSignature[:40]), exampleBody, at, slack.ErrSignature},
		"a signature without v0 is refused":      {exampleSecret, header(exampleTimestamp, exampleSignature[3:]), exampleBody, at, slack.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			if err := slack.Verify(c.secret, c.header, []byte(c.body), c.now); !errors.Is(err, c.want) {
				t.Errorf("Verify = %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(exampleTimestamp, exampleSignature, []byte(exampleBody))
	f.Add("", "v0=", []byte("{}"))
	f.Add("-1", "v0=zz", []byte{0})
	f.Fuzz(func(t *testing.T, timestamp, signature string, body []byte) {
		header := map[string]string{"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
		seconds, _ := strconv.ParseInt(timestamp, 10, 64)
		err := slack.Verify(exampleSecret, header, body, time.Unix(seconds, 0))
		if err == nil && (string(body) != exampleBody || timestamp != exampleTimestamp) {
			t.Errorf("a request that Slack never signed was let in")
		}
	})
}
