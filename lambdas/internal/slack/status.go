package slack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"previewenv/lambdas/internal/fault"
)

const (
	maxServiceSections = 6   // so that a message of any environment stays within its blocks
	maxNotes           = 8   // the same
	maxLine            = 600 // of one service or note
)

// Status is the one message of an environment, to be posted once and edited ever
// after: the text is what a notification shows. The same View gives the same
// message, and none is over Slack's limits whatever the View holds.
func Status(v View) (text string, blocks []Block) {
	l := lookOf(v.State)
	text = fmt.Sprintf("%s is %s: %s", line(v.Label, 63), line(l.words, 100), line(v.URL, 300))
	blocks = append(blocks,
		slackapi.NewHeaderBlock(plainText(fmt.Sprintf("%s %s · %s", l.icon, v.Label, l.words), maxHeader)),
		section(address(v, l.live)))
	if fields := facts(v, l.live); len(fields) > 0 {
		blocks = append(blocks, slackapi.NewSectionBlock(nil, fields, nil))
	}
	blocks = append(blocks, services(v)...)
	blocks = append(blocks, failure(v.Fault)...)
	for i, note := range v.Notes {
		if i == maxNotes {
			blocks = append(blocks, section(fmt.Sprintf("… and %d more notes.", len(v.Notes)-i)))
			break
		}
		blocks = append(blocks, section(":information_source: "+mention(fit(note, maxLine))))
	}
	if v.Receipt != "" {
		blocks = append(blocks, section(fit(v.Receipt, maxSection)))
	}
	if v.ExecutionURL != "" {
		blocks = append(blocks, slackapi.NewContextBlock("", markdown(link(v.ExecutionURL, "Execution"))))
	}
	if l.live {
		blocks = append(blocks, buttons(v.Label))
	}
	return text, blocks
}

// Warning is what the owner gets before the deadline.
func Warning(v View) (text string, blocks []Block) {
	label := line(v.Label, 63)
	text = fmt.Sprintf("%s is removed at %s.", label, utc(v.ExpiresAt))
	return text, []Block{
		section(fmt.Sprintf(":alarm_clock: *%s* is removed at %s. Extend it if you still need %s.",
			label, date(v.ExpiresAt), link(v.URL, v.URL))),
		buttons(v.Label),
	}
}

func address(v View, live bool) string {
	if live {
		return "*" + link(v.URL, v.URL) + "*"
	}
	return code(v.URL, 300)
}

func facts(v View, live bool) []*slackapi.TextBlockObject {
	var fields []*slackapi.TextBlockObject
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, markdown("*"+name+"*\n"+value))
		}
	}
	add("Commit", commit(v.Commit, v.CommitURL))
	if v.PullRequest > 0 {
		add("Pull request", link(v.PullRequestURL, fmt.Sprintf("#%d", v.PullRequest)))
	}
	add("Owner", person(v.Owner))
	if live && !v.ExpiresAt.IsZero() {
		add("Expires", date(v.ExpiresAt))
	}
	if !v.CreatedAt.IsZero() {
		add("Created", date(v.CreatedAt))
	}
	if v.CostPerHour > 0 {
		add("Cost", fmt.Sprintf("$%.3f an hour, $%.2f so far", v.CostPerHour, v.Cost))
	}
	return fields
}

// commit shows as many digits as make a commit unique in practice.
func commit(id, url string) string {
	const digits = 12
	if len(id) > digits {
		id = id[:digits]
	}
	if id == "" {
		return ""
	}
	if url == "" {
		return code(id, 20)
	}
	return link(url, id)
}

// services are the lines of the services and queues, packed into few sections.
func services(v View) []Block {
	var lines []string
	for _, s := range v.Services {
		lines = append(lines, serviceLine(s))
	}
	if len(v.Queues) > 0 {
		lines = append(lines, line("Queues: "+strings.Join(v.Queues, ", "), maxLine))
	}
	var blocks []Block
	for chunk := range pack(lines, maxSection) {
		if len(blocks) == maxServiceSections {
			blocks = append(blocks, section("… and more: see the execution."))
			break
		}
		blocks = append(blocks, section(chunk))
	}
	return blocks
}

func serviceLine(s ServiceLine) string {
	parts := []string{serviceIcon(s) + " *" + line(s.Name, 100) + "*", string(s.Source)}
	if s.State != "" {
		parts = append(parts, line(s.State, 60))
	}
	if c := commit(s.Commit, ""); c != "" {
		parts = append(parts, c)
	}
	if s.Detail != "" {
		parts = append(parts, line(s.Detail, 200))
	}
	if s.LogURL != "" {
		parts = append(parts, link(s.LogURL, "log"))
	}
	return strings.Join(parts, " · ")
}

// pack joins lines into chunks of at most limit characters.
func pack(lines []string, limit int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		chunk := ""
		for _, l := range lines {
			if chunk != "" && chars(chunk)+1+chars(l) > limit {
				if !yield(chunk) {
					return
				}
				chunk = ""
			}
			if chunk != "" {
				chunk += "\n"
			}
			chunk += l
		}
		if chunk != "" {
			yield(chunk)
		}
	}
}

// failure says what happened, what to do, and shows the end of the log.
func failure(f *fault.Fault) []Block {
	if f == nil {
		return nil
	}
	where := strings.Join(slices.DeleteFunc([]string{f.Service, f.Step}, func(s string) bool { return s == "" }), ": ")
	head := ":rotating_light: "
	if where != "" {
		head += "*" + line(where, 200) + "* "
	}
	head += fit(f.What, 1200)
	if f.Next != "" {
		head += "\n:point_right: " + fit(f.Next, 800)
	}
	blocks := []Block{section(head)}
	if t := tail(f.Tail, maxSection); t != "" {
		blocks = append(blocks, section(t))
	}
	if f.Log != "" {
		blocks = append(blocks, section(link(f.Log, "The whole log")))
	}
	return blocks
}

func buttons(label string) Block {
	remove := slackapi.NewConfirmationBlockObject(
		plainText("Remove "+label+"?", 100),
		plainText("Everything that this environment runs itself is removed. The shared services stay.", 300),
		plainText("Remove it", 30), plainText("Keep it", 30)).WithStyle(slackapi.StyleDanger)
	return slackapi.NewActionBlock("environment",
		slackapi.NewButtonBlockElement(ActionExtend, label, plainText("Extend 1 h", 75)),
		slackapi.NewButtonBlockElement(ActionCleanUp, label, plainText("Clean up", 75)).
			WithStyle(slackapi.StyleDanger).WithConfirm(remove))
}

// inWords says a time as a person would.
func inWords(d time.Duration) string {
	h, m := int(d.Hours()), int(d.Minutes())%60
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}
