package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"previewenv/lambdas/internal/fault"
)

// Answer is what a command, a form or a response_url is answered with: as JSON it
// is the body that Slack takes. Only the person who asked sees it.
type Answer struct {
	ResponseType string  `json:"response_type"` // always ephemeral
	Text         string  `json:"text"`
	Blocks       []Block `json:"blocks,omitempty"`
	// ReplaceOriginal is false, so that a button never overwrites the status message.
	ReplaceOriginal bool `json:"replace_original"`
}

// Body is the answer as JSON.
func (a Answer) Body() ([]byte, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("write answer: %w", err)
	}
	return b, nil
}

// Private is a text of ours that only the person who asked sees. What it holds
// from outside is to be escaped by Escape.
func Private(text string) Answer {
	return Answer{ResponseType: "ephemeral", Text: cut(text)}
}

// Escape makes a text from outside safe within a message.
func Escape(s string) string { return fit(s, maxSection) }

// Accepted is the first answer to /provisionenv: the URL, at once.
func Accepted(v View) Answer {
	text := fmt.Sprintf("*%s* is on its way: %s\nIt is ready when the message in this channel says so.",
		line(v.Label, 63), line(v.URL, 300))
	if !v.ExpiresAt.IsZero() {
		text += " It lives until " + date(v.ExpiresAt) + "."
	}
	for i, note := range v.Notes {
		if i == maxNotes {
			break
		}
		text += "\n:information_source: " + mention(fit(note, maxLine))
	}
	return Private(text)
}

// Extended says how long an environment lives now, and how much that is more.
func Extended(label string, expiresAt time.Time, by time.Duration) Answer {
	return Private(fmt.Sprintf("*%s* lives %s longer than before: until %s.", line(label, 63), inWords(by), date(expiresAt)))
}

// Removing says that a removal has begun.
func Removing(label string) Answer {
	return Private(fmt.Sprintf("*%s* is being removed. The message in its channel says when all of it is gone.", line(label, 63)))
}

// Usage is the answer to a command without text.
func Usage(example string) Answer {
	return Private("For example " + code(example, 300))
}

// Refused says all that is wrong with a request, and how the command was most
// likely meant, if that could be guessed. Nothing was started.
func Refused(faults fault.List, corrected string) Answer {
	var b strings.Builder
	b.WriteString(":no_entry: Nothing was started.")
	for _, f := range faults {
		one := "\n• " + mention(fit(f.What, 800))
		if f.Next != "" {
			one += " " + mention(fit(f.Next, 800))
		}
		if chars(b.String())+chars(one) > maxSection-maxCorrected-100 {
			b.WriteString("\n• …")
			break
		}
		b.WriteString(one)
	}
	// A command that was cut would do something else when it is pasted.
	if corrected != "" && chars(escapeAll(corrected)) <= maxCorrected {
		b.WriteString("\nDid you mean\n" + tail(corrected, maxCorrected+20))
	}
	return Private(b.String())
}

// maxCorrected of a command that is offered in place of another.
const maxCorrected = 600

// cut bounds a text whose parts are bounded already.
func cut(s string) string {
	if chars(s) <= maxSection {
		return s
	}
	r := []rune(s)
	return string(r[:min(len(r), maxSection/2)]) + "…"
}
