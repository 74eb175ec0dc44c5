package step

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

// Notify keeps the status message of an environment what its record is. It is
// told by the table's stream that something changed, and reads what is now, so
// that events may come late, twice or together.
type Notify struct {
	Records  *record.Store
	Settings func(context.Context) (*catalog.Settings, error)
	Slack    func(context.Context) (*slack.Client, error)
	Console  string // URL of an execution, with {execution}
	Now      func() time.Time
	Log      *slog.Logger
}

// Run shows every environment of a batch once. An error makes the stream deliver
// the batch again; a message that Slack will never take is logged and left.
func (n *Notify) Run(ctx context.Context, event events.DynamoDBEvent) error {
	for _, name := range environments(event) {
		if err := n.show(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// environments are the labels that a batch of changes is about, each once.
func environments(event events.DynamoDBEvent) []string {
	var names []string
	for _, r := range event.Records {
		key, ok := r.Change.Keys["environment"]
		if !ok || key.DataType() != events.DataTypeString {
			continue
		}
		name := key.String()
		if !strings.Contains(name, "#") && !slices.Contains(names, name) { // builds and deliveries have keys of their own
			names = append(names, name)
		}
	}
	return names
}

func (n *Notify) show(ctx context.Context, name string) error {
	life, ok, err := n.Records.Load(ctx, name)
	if err != nil || !ok || life.Environment.Channel == "" {
		return err
	}
	settings, err := n.Settings(ctx)
	if err != nil {
		return err
	}
	client, err := n.Slack(ctx)
	if err != nil {
		return err
	}
	v := view(life, settings, n.Console)
	message := life.Environment.Message
	err = n.status(ctx, client, life, v, &message)
	if err == nil {
		err = n.warn(ctx, client, life, v, &message)
	}
	if f := fault.As(err); f != nil && f.Name != statemachine.ErrThrottled && f.Name != statemachine.ErrUnavailable {
		refused := 0
		if f.Name == statemachine.ErrInternal { // the app or its token; a channel is the matter of whoever chose it
			refused = 1
		}
		n.Log.Error("message refused by Slack", "env", name, "reason", slack.Code(err), "next", f.Next,
			config.MetricRefused, refused, "_aws", metrics(n.Now(), "Count", config.MetricRefused))
		err = nil
	}
	if err != nil || message == life.Environment.Message {
		return err
	}
	_, err = n.Records.Change(ctx, name, func(env *record.Environment) error {
		if env.Incarnation != life.Environment.Incarnation {
			return record.ErrUnchanged // another life has a message of its own
		}
		env.Message = message
		if env.Revision == life.Environment.Revision && env.State == life.Environment.State {
			env.EndShown()
		}
		return nil
	})
	return err
}

// status posts the message, or edits it if what it shows has changed.
func (n *Notify) status(ctx context.Context, client *slack.Client, life record.Life, v slack.View, message *record.Message) error {
	digest := digestOf(v)
	if message.Digest == digest {
		return nil
	}
	v.Cost = life.Environment.Cost(n.Now())
	text, blocks := slack.Status(v)
	if message.Timestamp != "" {
		err := client.Update(ctx, message.Channel, message.Timestamp, text, blocks)
		if slack.Code(err) != "message_not_found" {
			message.Digest = digest
			return err
		}
	}
	channel, ts, err := client.Post(ctx, life.Environment.Channel, text, blocks)
	if err != nil {
		return err
	}
	message.Channel, message.Timestamp, message.Digest = channel, ts, digest
	return nil
}

// warn tells the owner, once a deadline, that it comes.
func (n *Notify) warn(ctx context.Context, client *slack.Client, life record.Life, v slack.View, message *record.Message) error {
	env := life.Environment
	if env.Owner == "" || env.WarnedFor == 0 || env.WarnedFor != env.ExpiresAt.Unix() || message.Warned == env.WarnedFor || !env.State.Live() {
		return nil
	}
	text, blocks := slack.Warning(v)
	if err := client.Ephemeral(ctx, env.Channel, env.Owner, text, blocks); err != nil {
		return err
	}
	message.Warned = env.WarnedFor
	return nil
}

// digestOf names what a message shows.
func digestOf(v slack.View) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "" // never equal to a stored one: the message is sent
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}
