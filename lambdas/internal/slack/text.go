package slack

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	slackapi "github.com/slack-go/slack"
)

// ansi are the colour codes that build logs are full of.
var ansi = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// userID is the shape of a Slack user ID; whoever starts an execution from the
// console may write anything else.
var userID = regexp.MustCompile(`^[UW][A-Z0-9]{1,20}$`)

// maxAddress of a link, so that its line stays within a field.
const maxAddress = 1200

// chars counts as JavaScript does, which is never less than the count of
// characters: Slack does not say which of the two it counts.
func chars(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// escapeRune escapes what Slack gives a meaning to (docs.slack.dev/messaging/formatting-message-text),
// and drops control characters.
func escapeRune(r rune) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case unicode.IsControl(r) && r != '\n' && r != '\t', r == unicode.ReplacementChar:
		return ""
	}
	return string(r)
}

// fit escapes s and cuts it, with an ellipsis, to at most limit characters.
func fit(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		e := escapeRune(r)
		if n+chars(e) > limit-1 {
			if whole := escapeAll(s); chars(whole) <= limit {
				return whole
			}
			return b.String() + "…"
		}
		b.WriteString(e)
		n += chars(e)
	}
	return b.String()
}

func escapeAll(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(escapeRune(r))
	}
	return b.String()
}

// line is fit for a text that must stay on one line.
func line(s string, limit int) string {
	return fit(strings.Join(strings.Fields(s), " "), limit)
}

// plain cuts a text for a plain_text object, which is not to be escaped.
func plain(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if chars(s) <= limit {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n += max(1, utf16.RuneLen(r)); n > limit-1 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// code sets a short text in code, where nothing else has a meaning.
func code(s string, limit int) string {
	s = strings.ReplaceAll(s, "`", "'")
	if s == "" {
		return ""
	}
	return "`" + line(s, limit-2) + "`"
}

// tail is a code block of the last lines of a log that fit into limit characters.
func tail(log string, limit int) string {
	const fence = "```"
	log = strings.ReplaceAll(ansi.ReplaceAllString(log, ""), fence, "'''")
	lines := strings.Split(strings.TrimRight(log, " \t\r\n"), "\n")
	room := limit - 2*len(fence) - 2 - len("…\n")
	kept := ""
	for i := len(lines) - 1; i >= 0; i-- {
		l := escapeAll(strings.TrimRight(lines[i], "\r"))
		if kept == "" && chars(l) > room {
			return fence + "\n" + fit(lines[i], room) + "\n" + fence
		}
		if chars(kept)+chars(l)+1 > room {
			kept = "…\n" + kept
			break
		}
		if i == len(lines)-1 {
			kept = l
			continue
		}
		kept = l + "\n" + kept
	}
	if strings.TrimSpace(kept) == "" {
		return ""
	}
	return fence + "\n" + kept + "\n" + fence
}

// link is a link, or the bare text where the target is no web address.
func link(target, text string) string {
	text = strings.ReplaceAll(line(text, maxOption*2), "|", "/")
	u, err := url.Parse(target)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return text
	}
	address := strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(target)
	if chars(address) > maxAddress {
		return text
	}
	return "<" + address + "|" + text + ">"
}

// person is a mention, or the bare text where it is no user ID.
func person(id string) string {
	if userID.MatchString(id) {
		return "<@" + id + ">"
	}
	return line(id, 100)
}

// atPerson is a user ID as texts of ours name it: whoever writes one knows nothing
// of Slack's markup.
var atPerson = regexp.MustCompile(`(^|[\s(])@([UW][A-Z0-9]{6,20})\b`)

// mention makes a mention of each @U0123ABCD in a text that was escaped.
func mention(escaped string) string { return atPerson.ReplaceAllString(escaped, "$1<@$2>") }

// date shows an instant in the reader's own time zone.
func date(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), utc(t))
}

func utc(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

// markdown is a text of ours. Verbatim, so that a name or a log line that was
// escaped is not made into a link or a mention after all.
func markdown(s string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.MarkdownType, s, false, true)
}

func plainText(s string, limit int) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.PlainTextType, plain(s, limit), true, false)
}

func section(s string) Block {
	return slackapi.NewSectionBlock(markdown(s), nil, nil)
}
