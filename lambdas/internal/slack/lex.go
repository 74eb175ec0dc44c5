package slack

import (
	"strings"
	"unicode"
)

// word is one word of a command's text: what it says, without its quotes.
type word struct {
	text   string
	quoted bool // a quoted word is never a flag
}

// entities are the three characters that Slack may escape in text:
// docs.slack.dev/messaging/formatting-message-text.
var entities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// closes tells whether r ends what open began. Phones and Macs turn straight
// quotes into curly ones, of either end.
func closes(open, r rune) bool {
	switch open {
	case '“', '”', '„':
		return strings.ContainsRune("“”\"", r)
	case '‘', '’':
		return strings.ContainsRune("‘’'", r)
	}
	return r == open
}

func opens(r rune) bool { return strings.ContainsRune("\"“”„'‘’", r) }

// split cuts text into words at white space. A quote opens at the start of a word
// or after =, so that an apostrophe inside a word is one. The second result is
// false when a quote was not closed; the rest of the text is then one word.
func split(text string) ([]word, bool) {
	var (
		words   []word
		current strings.Builder
		open    rune // the quote that is open, or 0
		started bool
		quoted  bool
		last    rune
	)
	end := func() {
		if started {
			words = append(words, word{text: unlink(current.String()), quoted: quoted})
		}
		current.Reset()
		started, quoted, last = false, false, 0
	}
	for _, r := range text {
		switch {
		case open != 0 && closes(open, r):
			open = 0
		case open != 0:
			current.WriteRune(r)
		case unicode.IsSpace(r):
			end()
			continue
		case opens(r) && (!started || last == '='):
			open, quoted = r, quoted || !started
		default:
			current.WriteRune(r)
		}
		started, last = true, r
	}
	closed := open == 0
	end()
	return words, closed
}

// unlink takes a link or a mention out of Slack's angle brackets, and undoes the
// three escapes.
func unlink(s string) string {
	if inner, ok := strings.CutPrefix(s, "<"); ok && strings.HasSuffix(inner, ">") {
		inner = strings.TrimSuffix(inner, ">")
		target, _, _ := strings.Cut(inner, "|")
		if strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "http://") {
			s = target
		}
	}
	return entities.Replace(s)
}

// flag tells whether the word is a flag, and gives its name without dashes and
// the value after =, if there is one. Two hyphens become a dash on a Mac; one
// hyphen before a digit is a negative number.
func (w word) flag() (name, value string, hasValue, ok bool) {
	if w.quoted {
		return "", "", false, false
	}
	name = strings.TrimLeft(w.text, "-–—")
	if name == w.text || name == "" || (name[0] >= '0' && name[0] <= '9') {
		return "", "", false, false
	}
	name, value, hasValue = strings.Cut(name, "=")
	return name, value, hasValue, true
}

// quote writes a word as a person would type it.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, unicode.IsSpace) && !opens([]rune(s)[0]) {
		return s
	}
	mark := `"`
	if strings.ContainsAny(s, "\"“”") {
		mark = "'"
	}
	if key, value, ok := strings.Cut(s, "="); ok && !strings.ContainsFunc(key, unicode.IsSpace) {
		return key + "=" + mark + value + mark
	}
	return mark + s + mark
}
