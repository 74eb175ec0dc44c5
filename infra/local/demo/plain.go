package demo

import (
	"regexp"
	"strings"
)

// What Slack draws and a terminal does not: links, dates, emoji and emphasis.
var (
	date     = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)
	link     = regexp.MustCompile(`<(https?://[^|>]*)\|([^>]*)>`)
	bareLink = regexp.MustCompile(`<(https?://[^>]*)>`)
	emoji    = regexp.MustCompile(`:[a-z_]+: ?`)
	emphasis = strings.NewReplacer("*", "", "`", "", "&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// plain is a text of Slack's as a terminal shows it: a link is what it is called.
func plain(text string) string {
	text = date.ReplaceAllString(text, "$1")
	text = link.ReplaceAllString(text, "$2")
	text = bareLink.ReplaceAllString(text, "$1")
	return emphasis.Replace(emoji.ReplaceAllString(text, ""))
}
