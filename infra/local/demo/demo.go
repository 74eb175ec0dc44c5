// Package demo plays a life of preview environments through Slack's door, and says
// in plain sentences what happens and how long each part took. It uses the stack
// as a person would: by commands, URLs and what the messages say.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"previewenv/infra/local/git"
	"previewenv/infra/local/slack"
	"previewenv/infra/local/stack"
)

const (
	person  = "U0DEVELOPER"
	channel = "C0PREVIEWS"
	// quiet is the longest that the demo says nothing.
	quiet = 1500 * time.Millisecond
	// patience bounds every wait for the suite.
	patience = 3 * time.Minute
)

// Run starts a stack, plays the life, and stays until ctx ends, unless once.
func Run(ctx context.Context, options stack.Options, once bool) error {
	d := &demo{out: os.Stdout, began: time.Now(), last: time.Now()}
	stop := d.pulse()
	defer stop()
	options.Tell = d.say
	s, err := stack.Start(ctx, options)
	if err != nil {
		return err
	}
	d.Stack = s
	err = d.play(ctx)
	if err == nil && !once {
		d.urls()
		stop()
		<-ctx.Done()
	}
	return errors.Join(err, s.Close())
}

type demo struct {
	*stack.Stack
	out   io.Writer
	began time.Time

	mu   sync.Mutex
	last time.Time
}

// say prints a sentence with the time since the start.
func (d *demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = time.Now()
	fmt.Fprintf(d.out, "%6.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// pulse prints a line whenever nothing was said for a while.
func (d *demo) pulse() (stop func()) {
	done := make(chan struct{})
	var once sync.Once
	go func() {
		tick := time.NewTicker(quiet / 5)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			d.mu.Lock()
			if time.Since(d.last) >= quiet {
				d.last = time.Now()
				fmt.Fprintf(d.out, "%6.1fs    …\n", time.Since(d.began).Seconds())
			}
			d.mu.Unlock()
		}
	}()
	return func() { once.Do(func() { close(done) }) }
}

// play is the life.
func (d *demo) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{
		d.first, d.second, d.extend, d.update, d.cleanUp, d.expiry,
	} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	d.say("That was a whole life; every number above was measured in this run.")
	return nil
}

func (d *demo) first(ctx context.Context) error {
	commit := d.Repository.Commits["pr1"]
	if err := d.command(ctx, "/provisionenv", commit[:8]+" service1 web"); err != nil {
		return err
	}
	if err := d.after(ctx, -1, "pr1", "building"); err != nil {
		return err
	}
	if err := d.see(ctx, "pr1", "/", "while it starts"); err != nil {
		return err
	}
	if err := d.until(ctx, "pr1", "ready"); err != nil {
		return err
	}
	return d.seeAll(ctx, "pr1")
}

func (d *demo) second(ctx context.Context) error {
	commit := d.Repository.Commits["pr2"]
	if err := d.command(ctx, "/provisionenv", commit[:8]+" service1,service2 --queues --env service1.LOG_LEVEL=debug"); err != nil {
		return err
	}
	if err := d.until(ctx, "pr2", "ready"); err != nil {
		return err
	}
	return d.seeAll(ctx, "pr2")
}

func (d *demo) extend(ctx context.Context) error {
	return d.command(ctx, "/extendenv", "pr1 2h")
}

func (d *demo) update(ctx context.Context) error {
	sha, err := d.Repository.Push(ctx, 1, git.All(git.SetVersion("service1", "pr1-second"), git.SetVersion("web", "pr1-second")))
	if err != nil {
		return err
	}
	d.say("The developer pushes %s to pull request 1 and asks for it under the same URL.", sha[:8])
	watch, before := d.watch("pr1", "/service1"), d.edits("pr1")
	if err := d.command(ctx, "/provisionenv", sha[:8]+" service1 web"); err != nil {
		return err
	}
	if err := d.after(ctx, before, "pr1", "ready"); err != nil {
		return err
	}
	requests, failed := watch()
	d.say("Meanwhile %d requests went to pr1; %d failed.", requests, failed)
	return d.seeAll(ctx, "pr1")
}

func (d *demo) cleanUp(ctx context.Context) error {
	for _, label := range []string{"pr1", "pr2"} {
		before := d.edits(label)
		if err := d.command(ctx, "/cleanupenv", label); err != nil {
			return err
		}
		if err := d.after(ctx, before, label, "gone"); err != nil {
			return err
		}
		if err := d.see(ctx, label, "/", "now"); err != nil {
			return err
		}
	}
	return nil
}

// expiry shows an end that nobody asked for, of an environment for one minute.
func (d *demo) expiry(ctx context.Context) error {
	commit := d.Repository.Commits["pr1"]
	if err := d.command(ctx, "/provisionenv", commit[:8]+" service1 --as short --ttl 1"); err != nil {
		return err
	}
	if err := d.until(ctx, "short", "ready"); err != nil {
		return err
	}
	d.say("short was asked for one minute; nobody extends it, nobody cleans it up.")
	return d.after(ctx, d.edits("short"), "short", "gone")
}

// command types a slash command and shows the answer.
func (d *demo) command(ctx context.Context, name, text string) error {
	d.say("A developer types %s %s", name, text)
	answer, err := d.Slack.Command(ctx, person, channel, name, text)
	if err != nil {
		return fmt.Errorf("type %s %s: %w", name, text, err)
	}
	for i, line := range strings.Split(answer.Text, "\n") {
		if i == 0 {
			line = fmt.Sprintf("Slack shows, after %d ms: %s", answer.Duration.Milliseconds(), line)
		}
		d.say("%s", plain(line))
	}
	return nil
}

// until follows the status message of an environment until it says a word.
func (d *demo) until(ctx context.Context, label, word string) error {
	return d.after(ctx, -1, label, word)
}

// edits counts how often the status message was edited.
func (d *demo) edits(label string) int {
	if m := d.message(label); m != nil {
		return m.Edits
	}
	return -1
}

// after is until, of what the message says after so many edits.
func (d *demo) after(ctx context.Context, edits int, label, word string) error {
	start := time.Now()
	shown := ""
	for time.Since(start) < patience {
		if text := d.status(label); text != shown && d.edits(label) > edits {
			shown = text
			d.say("The message in the channel says: %s", text)
			if strings.Contains(text, " is "+word) {
				d.say("%s is %s, %.1f s after it was asked for.", label, word, time.Since(start).Seconds())
				for _, line := range d.details(label) {
					d.say("  %s", plain(line))
				}
				return nil
			}
			if strings.Contains(text, " is failed") {
				return fmt.Errorf("%s failed: %s", label, strings.Join(d.details(label), " "))
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s is not %s after %s; its message says %q", label, word, patience, shown)
}

// status is the text of the newest message about an environment.
func (d *demo) status(label string) string {
	if m := d.message(label); m != nil {
		return m.Text
	}
	return ""
}

func (d *demo) message(label string) *slack.Message {
	messages := d.Slack.Messages(channel)
	for i := len(messages) - 1; i >= 0; i-- {
		if strings.HasPrefix(messages[i].Text, label+" ") {
			return &messages[i]
		}
	}
	return nil
}

// details are the service lines and the receipt of the message.
func (d *demo) details(label string) []string {
	m := d.message(label)
	if m == nil {
		return nil
	}
	var blocks []struct {
		Type string
		Text struct{ Text string }
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		return nil
	}
	var lines []string
	for _, b := range blocks {
		if b.Type == "section" && b.Text.Text != "" {
			lines = append(lines, strings.Split(b.Text.Text, "\n")...)
		}
	}
	return lines
}

// seeAll opens the three kinds of paths of an environment.
func (d *demo) seeAll(ctx context.Context, label string) error {
	for _, path := range []string{"/", "/service1", "/service2"} {
		if err := d.see(ctx, label, path, "now"); err != nil {
			return err
		}
	}
	return nil
}

// see opens a URL and says what came, and from where.
func (d *demo) see(ctx context.Context, label, path, when string) error {
	url := strings.ReplaceAll(d.Info.Preview, "{label}", label) + path
	p, err := d.get(ctx, url)
	if err != nil {
		return fmt.Errorf("open %s: %w", url, err)
	}
	source := p.header.Get("x-preview-source")
	if source == "" {
		d.say("%s %s answers %d: %s", url, when, p.status, p.summary())
		return nil
	}
	d.say("%s %s answers %d from %s (%s of %s, commit %.8s): %s", url, when, p.status, source,
		p.header.Get("x-preview-service"), p.header.Get("x-preview-environment"), p.header.Get("x-preview-commit"), p.summary())
	return nil
}

// answer is what came from a URL.
type answer struct {
	status int
	header http.Header
	body   string
}

func (d *demo) get(ctx context.Context, url string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	resp, err := d.Client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// summary is a page's title, or the beginning of an answer.
func (a answer) summary() string {
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		_, rest, _ := strings.Cut(a.body, "<title>")
		title, _, _ := strings.Cut(rest, "</title>")
		return "the page \"" + strings.TrimSpace(title) + "\""
	}
	const enough = 240
	body := strings.Join(strings.Fields(a.body), " ")
	if len(body) > enough {
		body = body[:enough] + "…"
	}
	return body
}

// watch asks for a path again and again, until the returned func is called.
func (d *demo) watch(label, path string) func() (requests, failed int) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	var requests, failed int
	go func() {
		defer close(done)
		url := strings.ReplaceAll(d.Info.Preview, "{label}", label) + path
		for ctx.Err() == nil {
			p, err := d.get(ctx, url)
			if ctx.Err() != nil {
				return
			}
			requests++
			if err != nil || p.status != http.StatusOK {
				failed++
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() (int, int) {
		cancel()
		<-done
		return requests, failed
	}
}

// urls tells what is there for the person to use.
func (d *demo) urls() {
	d.say("The stack stays up until Ctrl-C:")
	d.say("  Slack             %s", d.Info.SlackPage)
	d.say("  environments      %s", d.Info.Preview)
	d.say("  AWS endpoint      %s (any client, any credentials, us-east-1)", d.Info.AWS)
	d.say("  state machine     %s", d.Info.StateMachineARN)
	d.say("  all of it as JSON .local/stack.json")
}
