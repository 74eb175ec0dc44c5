package step

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// TestASigningSecretThatWasRotatedIsTakenUpAtOnce has a warm door that holds the secret
// of before, and requests that Slack signs with the one of now.
func TestASigningSecretThatWasRotatedIsTakenUpAtOnce(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	signed := func(secret string) events.LambdaFunctionURLRequest {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "v0:%d:body", now.Unix())
		return events.LambdaFunctionURLRequest{RawPath: "/elsewhere", Body: "body", Headers: map[string]string{
			"x-slack-request-timestamp": fmt.Sprint(now.Unix()), "x-slack-signature": "v0=" + hex.EncodeToString(mac.Sum(nil)),
		}}
	}
	for rule, c := range map[string]struct {
		by   string
		want int // 404 is a request that was taken, to a path that is none
		asks int
	}{
		"what the old one signed is taken": {"old", http.StatusNotFound, 1},
		"so is what the new one did":       {"new", http.StatusNotFound, 2},
		"what neither signed is refused":   {"stranger", http.StatusUnauthorized, 2},
	} {
		t.Run(rule, func(t *testing.T) {
			asks := 0
			door := &Door{Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
				SigningSecret: func(_ context.Context, refused string) (string, error) {
					if asks++; refused == "old" {
						return "new", nil
					}
					return "old", nil
				}}
			answer, err := door.Handle(t.Context(), signed(c.by))
			if err != nil || answer.StatusCode != c.want || asks != c.asks {
				t.Errorf("it is answered %d, %v after %d looks; want %d after %d", answer.StatusCode, err, asks, c.want, c.asks)
			}
		})
	}
}
