package life

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"previewenv/infra/local/slack"
)

// BenchmarkDoor measures a signed command from the signature to the answer: the
// function as a process, with the record behind it in the emulator, which takes
// most of the time.
//
//	go test -run '^$' -bench Door ./infra/local/life
func BenchmarkDoor(b *testing.B) {
	for n := 0; b.Loop(); n++ {
		form := url.Values{"command": {"/extendenv"}, "text": {"nowhere 60"}, "user_id": {"U1"}, "channel_id": {"C1"},
			"trigger_id": {fmt.Sprint(n)}, "response_url": {"http://127.0.0.1:1/"}}.Encode()
		now := strconv.FormatInt(time.Now().Unix(), 10)
		if status, body := post(b, form, now, slack.Sign(world.Info.SlackSigningSecret, now, []byte(form))); status != 200 || body == "" {
			b.Fatalf("the door answers %d %s", status, body)
		}
	}
}
