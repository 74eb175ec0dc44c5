package step

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/lambdas/internal/slack"
	"previewenv/statemachine"
)

// openForm shows the form of /provisionenv; the trigger lasts 3 s, so nothing slow
// comes before it.
func (d *Door) openForm(ctx context.Context, c slack.Command) error {
	settings, err := d.Settings(ctx)
	if err != nil {
		return err
	}
	form := slack.Form{
		Queues: len(settings.Queues) > 0, Channel: c.ChannelID,
		Default: time.Duration(settings.Lifetime.Default).String(),
		Limits:  "At most " + time.Duration(settings.Lifetime.Max).String() + ".",
	}
	for _, s := range settings.Services {
		form.Services = append(form.Services, s.Name)
	}
	client, err := d.Slack(ctx)
	if err != nil {
		return err
	}
	return client.OpenView(ctx, c.TriggerID, form.Modal())
}

// submit carries out the form: faults go back to their fields, the URL to the
// person in the channel where the form was opened.
func (d *Door) submit(ctx context.Context, header map[string]string, in slack.Interaction) (events.LambdaFunctionURLResponse, error) {
	wish, faults := slack.ParseSubmission(in)
	wish.Request.RequestedBy, wish.Request.Channel = in.UserID, in.ChannelID
	if len(faults) == 0 {
		if err := d.check(ctx, wish); errors.As(err, &faults) {
			d.Log.Info("form refused", "faults", len(faults))
		} else if err != nil {
			faults = fault.List{named(err, "", "")}
		}
	}
	if len(faults) > 0 {
		body, err := slack.Errors(faults)
		return reply(body), err
	}
	first, err := d.first(ctx, header)
	if err != nil || !first {
		return status(http.StatusOK), err
	}
	answer, err := d.provision(ctx, wish, nil)
	if err != nil {
		answer = d.refused(err, "")
	}
	client, err := d.Slack(ctx)
	if err != nil {
		return status(http.StatusInternalServerError), err
	}
	if err := client.Ephemeral(ctx, in.ChannelID, in.UserID, answer.Text, answer.Blocks); err != nil {
		d.Log.Warn("answer to a form not delivered", "reason", slack.Code(err))
	}
	return status(http.StatusOK), nil
}

// check validates a wish without writing anything.
func (d *Door) check(ctx context.Context, wish slack.Provision) error {
	_, err := d.validate(ctx, wish)
	return err
}

func (d *Door) validate(ctx context.Context, wish slack.Provision) (request.Wanted, error) {
	settings, err := d.Settings(ctx)
	if err != nil {
		return request.Wanted{}, err
	}
	wanted, err := request.Validator{Settings: settings, Services: d.Services, GitHub: d.GitHub, Prefix: d.Config.Prefix}.Validate(ctx, wish.Request)
	if err == nil && wish.Repository != "" && !strings.EqualFold(wish.Repository, wanted.Repository) {
		err = fault.List{fault.New(statemachine.ErrBadRequest, "The URL is of %s, and the services that you named are of %s.", wish.Repository, wanted.Repository).
			WithNext("Name services of that repository, or a commit of this one.").In(slack.FieldCommit)}
	}
	return wanted, err
}

// provision writes what is wanted and starts an execution that converges on it.
func (d *Door) provision(ctx context.Context, wish slack.Provision, faults fault.List) (slack.Answer, error) {
	wanted, err := d.validate(ctx, wish)
	var more fault.List
	switch {
	case errors.As(err, &more):
		return slack.Refused(merge(faults, more), wish.Corrected), nil
	case err != nil && len(faults) == 0:
		return slack.Answer{}, err
	case len(faults) > 0:
		return slack.Refused(faults, wish.Corrected), nil
	}
	settings, err := d.Settings(ctx)
	if err != nil {
		return slack.Answer{}, err
	}
	env, before, err := d.Records.Claim(ctx, record.Claim{
		Wanted: wanted, Owner: wish.Request.RequestedBy, Channel: wish.Request.Channel,
		URL:         strings.ReplaceAll(d.Config.PreviewURL, "{label}", wanted.Label),
		MaxLifetime: time.Duration(settings.Lifetime.Max),
		Admit:       d.capacity.admit(settings, wanted, wish.Request.RequestedBy),
	})
	if err != nil {
		return slack.Answer{}, err
	}
	if err := startWanted(ctx, d.SFN, d.Records, d.Config.StateMachine, env); err != nil {
		return slack.Answer{}, err
	}
	d.Log.Info("provision asked for", "env", env.Name, "revision", env.Revision)
	return accepted(env, before), nil
}

// accepted is the first answer: the URL, and what of it is there already.
func accepted(env, before record.Environment) slack.Answer {
	v := slack.View{Label: env.Name, URL: env.URL, ExpiresAt: env.ExpiresAt}
	if env.Revision == before.Revision && before.State.Live() {
		v.Notes = append(v.Notes, "It was asked for before and is "+strings.ToLower(string(env.State))+": nothing new was started. Its time stays as it was.")
	} else if before.State.Live() {
		v.Notes = append(v.Notes, "It lives already: the new request replaces the old one under the same URL, which serves until then. Its time stays as it was; /extendenv "+env.Name+" 60 adds to it.")
	}
	return slack.Accepted(v)
}

// merge puts together what the reader of the text and the reader of the catalog
// found, each fault once.
func merge(a, b fault.List) fault.List {
	seen := map[string]bool{}
	var all fault.List
	for _, f := range append(a, b...) {
		if key := f.Field + "\n" + f.What; !seen[key] {
			seen[key] = true
			all = append(all, f)
		}
	}
	return all
}
