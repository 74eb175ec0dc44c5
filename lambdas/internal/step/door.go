package step

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"previewenv/lambdas/catalog"
	"previewenv/lambdas/config"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

const (
	// maxBody is far above any command or form of Slack's and far below the 6 MB
	// that Lambda would take.
	maxBody = 1 << 20
	// replayWindow is twice the five minutes within which a signature holds.
	replayWindow = 10 * time.Minute
)

type executions interface {
	waitEnder
	starter
}

// Door takes commands, forms and buttons from Slack. It only validates, writes
// what is wanted and starts or ends a wait, so that its answer is out within
// Slack's 3 s.
type Door struct {
	Config        config.Door
	SigningSecret func(ctx context.Context, refused string) (string, error)
	Slack         func(context.Context) (*slack.Client, error)
	Settings      func(context.Context) (*catalog.Settings, error)
	Services      func(ctx context.Context, names ...string) (map[string]catalog.Service, error)
	GitHub        request.GitHub
	Records       *record.Store
	SFN           executions
	Now           func() time.Time
	Log           *slog.Logger

	capacity capacity
}

// Handle answers one request. What is not from Slack gets a bare status; what
// goes wrong inside is told to the person who asked.
func (d *Door) Handle(ctx context.Context, in events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
	body, err := rawBody(in)
	if err != nil {
		return status(http.StatusBadRequest), nil //nolint:nilerr // the caller's fault, and told so
	}
	if len(body) > maxBody {
		return status(http.StatusRequestEntityTooLarge), nil
	}
	reason, err := d.verify(ctx, in.Headers, body)
	if err != nil {
		return status(http.StatusInternalServerError), err
	}
	if reason != nil {
		d.Log.Warn("request refused", "reason", reason.Error())
		return status(http.StatusUnauthorized), nil
	}
	answer, err := d.route(ctx, in.RawPath, body, in.Headers)
	var unreadable *unreadableError
	if errors.As(err, &unreadable) {
		d.Log.Warn("request refused", "reason", "not a form that Slack sends")
		return status(http.StatusBadRequest), nil
	}
	return answer, err
}

// verify says why a request is refused. A signature that is wrong may be of a secret that
// was rotated since the last look.
func (d *Door) verify(ctx context.Context, header map[string]string, body []byte) (reason, err error) {
	secret, err := d.SigningSecret(ctx, "")
	if err != nil {
		return nil, err
	}
	reason = slack.Verify(secret, header, body, d.Now())
	if !errors.Is(reason, slack.ErrSignature) {
		return reason, nil
	}
	another, err := d.SigningSecret(ctx, secret)
	if err != nil || another == secret {
		return reason, err
	}
	return slack.Verify(another, header, body, d.Now()), nil
}

// unreadableError is a signed request that is no command and no interaction.
type unreadableError struct{ error }

func (d *Door) route(ctx context.Context, path string, body []byte, header map[string]string) (events.LambdaFunctionURLResponse, error) {
	switch {
	case strings.HasSuffix(path, "/slack/commands"):
		command, err := slack.ParseCommand(body)
		if err != nil {
			return status(0), &unreadableError{err}
		}
		return d.once(ctx, header, func() (slack.Answer, error) { return d.command(ctx, command) })
	case strings.HasSuffix(path, "/slack/interactions"):
		interaction, err := slack.ParseInteraction(body)
		if err != nil {
			return status(0), &unreadableError{err}
		}
		if interaction.Kind == slack.ViewSubmission {
			return d.submit(ctx, header, interaction)
		}
		return d.once(ctx, header, func() (slack.Answer, error) { return d.button(ctx, interaction) })
	}
	return status(http.StatusNotFound), nil
}

// once gives a delivery its one effect. A signature covers the time and the whole
// body, with its trigger, so it names the delivery.
func (d *Door) once(ctx context.Context, header map[string]string, act func() (slack.Answer, error)) (events.LambdaFunctionURLResponse, error) {
	first, err := d.first(ctx, header)
	if err != nil {
		return status(http.StatusInternalServerError), err
	}
	if !first {
		return status(http.StatusOK), nil
	}
	answer, err := act()
	if err != nil {
		answer = d.refused(err, "")
	}
	if answer.Text == "" {
		return status(http.StatusOK), nil
	}
	body, err := answer.Body()
	return reply(body), err
}

func (d *Door) first(ctx context.Context, header map[string]string) (bool, error) {
	sum := sha256.Sum256([]byte(header["x-slack-signature"]))
	return d.Records.Once(ctx, hex.EncodeToString(sum[:16]), replayWindow)
}

// command carries out one slash command.
func (d *Door) command(ctx context.Context, c slack.Command) (slack.Answer, error) {
	switch c.Name {
	case slack.CommandProvision:
		wish, faults := slack.ParseProvision(c.Text)
		if wish.Empty {
			return slack.Answer{}, d.openForm(ctx, c)
		}
		wish.Request.RequestedBy, wish.Request.Channel = c.UserID, c.ChannelID
		return d.provision(ctx, wish, faults)
	case slack.CommandExtend:
		wish, faults := slack.ParseExtend(c.Text)
		if wish.Empty {
			return slack.Usage(slack.UsageExtend), nil
		}
		if len(faults) > 0 {
			return slack.Refused(faults, wish.Corrected), nil
		}
		return d.extend(ctx, wish.Target, wish.By)
	case slack.CommandCleanUp:
		wish, faults := slack.ParseCleanUp(c.Text)
		if wish.Empty {
			return slack.Usage(slack.UsageCleanUp), nil
		}
		if len(faults) > 0 {
			return slack.Refused(faults, wish.Corrected), nil
		}
		return d.cleanUp(ctx, wish.Target, c.UserID)
	}
	return slack.Private("There is no command " + slack.Escape(c.Name) + " here."), nil
}

// button carries out a press and tells the person by the response_url; the status
// message itself follows the record.
func (d *Door) button(ctx context.Context, in slack.Interaction) (slack.Answer, error) {
	var answer slack.Answer
	var err error
	switch in.ActionID {
	case slack.ActionExtend:
		answer, err = d.extend(ctx, slack.Target{Label: in.Value}, time.Hour)
	case slack.ActionCleanUp:
		answer, err = d.cleanUp(ctx, slack.Target{Label: in.Value}, in.UserID)
	default:
		return slack.Answer{}, nil // a link button: Slack reports the press, the browser has it
	}
	if err != nil {
		answer = d.refused(err, "")
	}
	client, err := d.Slack(ctx)
	if err != nil {
		return slack.Answer{}, err
	}
	return slack.Answer{}, client.Respond(ctx, in.ResponseURL, answer)
}

// refused puts an error into the words of an answer.
func (d *Door) refused(err error, corrected string) slack.Answer {
	var faults fault.List
	if errors.As(err, &faults) {
		return slack.Refused(faults, corrected)
	}
	if f := fault.As(err); f != nil {
		return slack.Refused(fault.List{f}, corrected)
	}
	d.Log.Error("request failed", "error", err.Error())
	return slack.Refused(fault.List{fault.New(statemachine.ErrInternal, "Something failed on our side.").
		WithNext("Ask again in a minute; if it stays, tell the platform team.")}, "")
}

func rawBody(in events.LambdaFunctionURLRequest) ([]byte, error) {
	if !in.IsBase64Encoded {
		return []byte(in.Body), nil
	}
	return base64.StdEncoding.DecodeString(in.Body)
}

func status(code int) events.LambdaFunctionURLResponse {
	return events.LambdaFunctionURLResponse{StatusCode: code}
}

func reply(body []byte) events.LambdaFunctionURLResponse {
	return events.LambdaFunctionURLResponse{
		StatusCode: http.StatusOK, Headers: map[string]string{"content-type": "application/json; charset=utf-8"}, Body: string(body),
	}
}
