package faults

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Waits of a person who looks at the channel.
const (
	// patience is for one step of a life: AWS's SDK and the state machine together
	// retry for up to half a minute.
	patience = 45 * time.Second
	// tries is how often a person repeats a command that was not taken.
	tries = 4
)

// life is one environment that is being played.
type life struct {
	*World
	label, user, channel string
	ttl                  string
	overrides            map[string]string // service, by path
	patience             time.Duration

	build func(commit string) // told of a commit before it is built

	asked   int      // commands that had to be repeated
	lies    []string // what was said and was not so
	notes   []string // how it went, in a person's words
	unready string   // how a provision ended that did not get ready
	seen    map[string]bool
}

func (w *World) newLife(label string) *life {
	w.follow(label)
	return &life{
		World: w, label: label, user: "U0" + strings.ToUpper(label), channel: "C0" + strings.ToUpper(label),
		ttl: "60", overrides: map[string]string{"/service1": "service1", "/": "web"},
		patience: patience, seen: map[string]bool{},
	}
}

// script is what a person does in a life.
type script func(ctx context.Context, l *life) error

// whole is a whole life: provision with a queue, update, extend, clean up.
func whole(ctx context.Context, l *life) error {
	for _, commit := range l.Commits {
		if over, err := l.provision(ctx, commit, "service1 web --queues"); over || err != nil {
			return err
		}
	}
	if err := l.extend(ctx); err != nil {
		return err
	}
	return l.cleanUp(ctx)
}

// brief is a life without an update.
func brief(ctx context.Context, l *life) error {
	if over, err := l.provision(ctx, l.Commits[0], "service1 web --queues"); over || err != nil {
		return err
	}
	if err := l.extend(ctx); err != nil {
		return err
	}
	return l.cleanUp(ctx)
}

// unheld is a life that nobody ends: it has a minute.
func unheld(ctx context.Context, l *life) error {
	l.ttl = "1"
	if over, err := l.provision(ctx, l.Commits[0], "service1 web --queues"); over || err != nil {
		return err
	}
	l.patience = 75 * time.Second
	_, err := l.settle(ctx, record.closed)
	return err
}

// built is a life whose image has to be built first.
func built(ctx context.Context, l *life) error {
	commit, err := l.commit(ctx, l.label, "service1")
	if err != nil {
		return err
	}
	l.Edge.Alias(commit, l.label)
	if l.build != nil {
		l.build(commit)
	}
	l.overrides = map[string]string{"/service1": "service1"}
	if over, err := l.provision(ctx, commit, "service1"); over || err != nil {
		return err
	}
	return l.cleanUp(ctx)
}

// provision asks for a commit and waits for what becomes of it; over tells that
// nothing is left to clean up.
func (l *life) provision(ctx context.Context, commit, what string) (over bool, err error) {
	before, err := l.record(ctx, l.label)
	if err != nil {
		return false, err
	}
	taken := func(r record) bool { return r.Revision > before.Revision }
	text := commit + " " + what + " --as " + l.label + " --ttl " + l.ttl
	if before.State != "" {
		text = commit + " " + what + " --as " + l.label
	}
	if _, err := l.command(ctx, "/provisionenv", text, taken); err != nil {
		return false, err
	}
	after, err := l.settle(ctx, func(r record) bool { return taken(r) && r.settled() && !r.Reverting })
	if err != nil {
		return false, err
	}
	l.note("provision of %.8s: %s", commit, after.State)
	if after.State != "Ready" {
		l.unready = strings.TrimSpace(after.State + " " + after.Why)
	}
	return after.closed(), l.rest(ctx, after)
}

// rest lets an execution come to its Hold, so that each life makes the same calls.
func (l *life) rest(ctx context.Context, r record) error {
	const enough = 6 * time.Second
	for deadline := time.Now().Add(enough); r.State == "Ready" && !r.Held && time.Now().Before(deadline); {
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
		var err error
		if r, err = l.record(ctx, l.label); err != nil {
			return err
		}
	}
	return nil
}

func (l *life) extend(ctx context.Context) error {
	before, err := l.record(ctx, l.label)
	if err != nil {
		return err
	}
	if before.State == "" || before.closed() || before.State == "CleaningUp" {
		return nil
	}
	longer := func(r record) bool { return r.ExpiresAt.After(before.ExpiresAt) }
	confirmed, err := l.command(ctx, "/extendenv", l.label+" 1h", longer)
	if err != nil {
		return err
	}
	after, err := l.record(ctx, l.label)
	if err == nil && confirmed && !longer(after) && !after.closed() {
		l.lies = append(l.lies, "an extension was confirmed, and the deadline is what it was")
	}
	return err
}

func (l *life) cleanUp(ctx context.Context) error {
	begun := func(r record) bool { return r.closed() || r.State == "CleaningUp" || r.State == "LeftBehind" }
	if r, err := l.record(ctx, l.label); err != nil || r.State == "" || r.closed() {
		return err
	}
	if _, err := l.command(ctx, "/cleanupenv", l.label, begun); err != nil {
		return err
	}
	after, err := l.settle(ctx, func(r record) bool { return r.closed() || r.State == "LeftBehind" })
	l.note("clean-up: %s", after.State)
	return err
}

// command types a command, and types it again if it is neither confirmed nor taken.
func (l *life) command(ctx context.Context, name, text string, taken func(record) bool) (confirmed bool, err error) {
	for try := range tries {
		answer, err := l.Slack.Command(ctx, l.user, l.channel, name, text)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		// A refusal begins with an icon; no answer at all is none.
		if err == nil && answer.Text != "" && !strings.HasPrefix(answer.Text, ":") {
			return true, nil
		}
		l.note("%s is answered with %.200q %v", name, answer.Text, err)
		r, failed := l.record(ctx, l.label)
		if failed != nil {
			return false, failed
		}
		if try > 0 && taken(r) {
			return false, nil
		}
		l.asked++
		if err := pause(ctx, time.Second); err != nil {
			return false, err
		}
	}
	return false, nil
}

// settle watches until the record is as wanted, or patience is over, and checks
// whatever is said meanwhile. The record is read when something was written: to ask
// again and again would take the emulator from the lives.
func (l *life) settle(ctx context.Context, wanted func(record) bool) (record, error) {
	const seldom = 2 * time.Second
	deadline := time.Now().Add(l.patience)
	var r record
	read, writes := time.Time{}, -1
	for {
		if now := l.written(l.label); now != writes || time.Since(read) > seldom {
			var err error
			read, writes = time.Now(), now
			if r, err = l.record(ctx, l.label); err != nil {
				return r, err
			}
			if err := l.look(ctx, r); err != nil {
				return r, err
			}
			if wanted(r) {
				return r, nil
			}
		}
		if time.Now().After(deadline) {
			l.note("still %s after %s", r.State, l.patience)
			return r, nil
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return r, err
		}
	}
}

// look checks what the record says, once for each thing that it says.
func (l *life) look(ctx context.Context, r record) error {
	key := fmt.Sprint(r.State, r.Revision)
	if l.seen[key] {
		return nil
	}
	l.seen[key] = true
	switch {
	case r.State == "Ready" || r.State == "Degraded":
		return l.checkServes(ctx, r)
	case r.closed():
		left, err := l.Remains(ctx, l.label)
		if err == nil && len(left) > 0 {
			l.lies = append(l.lies, fmt.Sprintf("%s was said while there was %s", r.State, some(left)))
		}
		return err
	}
	return nil
}

// checkServes asks the URL whether the overrides answer at the commit of the record.
func (l *life) checkServes(ctx context.Context, r record) error {
	var why string
	for range 5 {
		if why = l.wrong(ctx, r.Commit); why == "" {
			return nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		now, err := l.record(ctx, l.label)
		if err != nil {
			return err
		}
		if now.State != r.State || now.Revision != r.Revision {
			return nil
		}
	}
	l.lies = append(l.lies, fmt.Sprintf("%s was said at revision %d while %s", r.State, r.Revision, why))
	return nil
}

// wrong says what is wrong with the answers of the URL, or nothing.
func (l *life) wrong(ctx context.Context, commit string) string {
	for path, service := range l.overrides {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL(l.label)+path, nil)
		if err != nil {
			return err.Error()
		}
		resp, err := l.Client.Do(req)
		if err != nil {
			return err.Error()
		}
		_ = resp.Body.Close()
		h := resp.Header
		if h.Get("X-Preview-Service") != service || resp.StatusCode != http.StatusOK || h.Get("X-Preview-Source") != "override" || h.Get("X-Preview-Commit") != commit {
			return fmt.Sprintf("%s answered %d from %s at %s, not from the override at %s", path, resp.StatusCode, h.Get("X-Preview-Source"), h.Get("X-Preview-Commit"), commit)
		}
	}
	return ""
}

func (l *life) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
