package slack

import (
	"strings"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// draft is a command while it is read: its words, the faults found so far, and
// what to write in place of the words at fault.
type draft struct {
	command  string
	words    []word
	next     int
	faults   fault.List
	fixes    map[int]string // by index; "" leaves the word out
	hopeless bool           // a fault has no guess: no correction is offered
}

func newDraft(command, text string) *draft {
	d := &draft{command: command, fixes: map[int]string{}}
	words, closed := split(text)
	d.words = words
	if !closed {
		d.fault(fault.New(statemachine.ErrBadRequest, "A quotation mark is not closed.").
			WithNext("Close it, or leave it out."))
	}
	return d
}

// take gives the next word and its index; ok is false at the end.
func (d *draft) take() (w word, at int, ok bool) {
	if d.next >= len(d.words) {
		return word{}, 0, false
	}
	d.next++
	return d.words[d.next-1], d.next - 1, true
}

// fault adds one for which there is no guess.
func (d *draft) fault(f *fault.Fault) {
	d.faults = append(d.faults, f)
	d.hopeless = true
}

// guess adds a fault of the word at an index, and what was meant by it.
func (d *draft) guess(f *fault.Fault, at int, fix string) {
	d.faults = append(d.faults, f)
	d.fixes[at] = fix
}

// corrected is the command as it was most likely meant, when each of its faults
// could be guessed.
func (d *draft) corrected() string {
	if d.hopeless || len(d.fixes) == 0 {
		return ""
	}
	parts := []string{d.command}
	for i, w := range d.words {
		text := w.text
		if fix, ok := d.fixes[i]; ok {
			text = fix
		}
		if text != "" || w.text == "" {
			parts = append(parts, quote(text))
		}
	}
	return strings.Join(parts, " ")
}

func bad(field, format string, args ...any) *fault.Fault {
	return fault.New(statemachine.ErrBadRequest, format, args...).In(field)
}
