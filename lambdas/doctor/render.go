package doctor

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// Write shows a report to a person: a line a check or a finding, and below a finding
// what to do.
func (r Report) Write(w io.Writer) {
	if r.Stopped != "" {
		fmt.Fprintln(w, r.Stopped)
		return
	}
	wide := 0
	for _, c := range r.Checks {
		wide = max(wide, utf8.RuneCountInString(c.Name))
	}
	counted := map[Level]int{}
	good := 0
	for _, c := range r.Checks {
		if len(c.Findings) == 0 {
			good++
			fmt.Fprintf(w, "%-5s  %-*s  %s\n", "ok", wide, c.Name, c.Seen)
		}
		for _, f := range c.Findings {
			counted[f.Level]++
			fmt.Fprintf(w, "%-5s  %-*s  %s\n", marks[f.Level], wide, c.Name, f.line())
			if f.Do != "" {
				fmt.Fprintf(w, "%11s %s\n", "do:", f.Do)
			}
		}
	}
	fmt.Fprintf(w, "\n%d checks are good; %d would fail, %d to know, %d not checked.\n", good, counted[Fails], counted[Warns], counted[NotChecked])
}

// marks are the levels as they stand at the beginning of a line; what would fail can
// be seen from afar.
var marks = map[Level]string{Fails: "FAILS", Warns: "warns", NotChecked: "?"}

func (f Finding) line() string {
	text := f.Name + ": " + f.Seen
	if f.Level == NotChecked {
		text = "not checked: " + f.Seen
	}
	if f.About != "" {
		return f.About + ": " + text
	}
	return text
}
