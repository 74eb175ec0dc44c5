package slack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	slackapi "github.com/slack-go/slack"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// Form is what the form of /provisionenv is made of.
type Form struct {
	Services []string // of the catalog, backends and frontends, sorted
	Queues   bool     // the catalog has queues
	Default  string   // the lifetime that stands when none is given: 60m
	Limits   string   // a sentence on what may be asked for, if there is one
	Channel  string   // where the status message goes: it comes back as ChannelID
	// Initial is what stands in the form at first.
	Initial statemachine.Request
}

// Modal is the form as a view. Its inputs' block_ids are the fields of a request.
// A service whose name is over 75 characters has no option, since an option's
// value cannot hold it; the hint says so.
func (f Form) Modal() slackapi.ModalViewRequest {
	blocks := []Block{
		f.commit(),
	}
	blocks = append(blocks, f.services())
	if f.Queues {
		blocks = append(blocks, f.queues())
	}
	blocks = append(blocks, f.overrides(), f.lifetime())
	if f.Limits != "" {
		blocks = append(blocks, slackapi.NewContextBlock("limits", markdown(fit(f.Limits, maxSection))))
	}
	return slackapi.ModalViewRequest{
		Type:            slackapi.VTModal,
		CallbackID:      CallbackProvision,
		PrivateMetadata: plain(f.Channel, maxMeta),
		Title:           plainText("Preview environment", 24),
		Submit:          plainText("Provision", 24),
		Close:           plainText("Cancel", 24),
		Blocks:          slackapi.Blocks{BlockSet: blocks},
	}
}

func (f Form) commit() Block {
	e := slackapi.NewPlainTextInputBlockElement(plainText("abcd1234 or https://github.com/acme/shop/pull/1", 150), "input").
		WithMaxLength(500)
	switch {
	case f.Initial.CommitID != "":
		e.InitialValue = f.Initial.CommitID
	case f.Initial.PullRequest != 0:
		e.InitialValue = fmt.Sprintf("#%d", f.Initial.PullRequest)
	}
	return slackapi.NewInputBlock(FieldCommit, plainText("Commit or pull request", 2000),
		plainText("7 or more digits of the commit, the URL of the pull request, or its number as #1", 2000), e)
}

func (f Form) services() Block {
	var options, chosen []*slackapi.OptionBlockObject
	left := 0
	for _, name := range f.Services {
		if chars(name) > maxOption {
			left++
			continue
		}
		o := slackapi.NewOptionBlockObject(name, plainText(name, maxOption), nil)
		options = append(options, o)
		if slices.Contains(f.Initial.ServicesToProvision, name) {
			chosen = append(chosen, o)
		}
	}
	if len(options) == 0 {
		return section("The catalog has no services yet. Ask the platform team to add them.")
	}
	placeholder := plainText("Choose what your change touches", 150)
	e := slackapi.NewOptionsMultiSelectBlockElement(slackapi.MultiOptTypeStatic, placeholder, "input")
	if len(options) <= maxOptions {
		e.Options = options
	} else {
		e.OptionGroups = groups(options)
	}
	e.InitialOptions = chosen
	hint := "Every other service is the shared one."
	if left > 0 {
		hint += fmt.Sprintf(" %d services with names over %d characters can only be named in the command.", left, maxOption)
	}
	// Queues alone may be wanted.
	return slackapi.NewInputBlock(FieldServices, plainText("Services", 2000), plainText(hint, 2000), e).WithOptional(f.Queues)
}

// groups cuts a list over Slack's limit into groups, named by their first and last.
func groups(options []*slackapi.OptionBlockObject) []*slackapi.OptionGroupBlockObject {
	var all []*slackapi.OptionGroupBlockObject
	for chunk := range slices.Chunk(options, maxOptions) {
		if len(all) == maxOptions {
			break
		}
		name := plain(chunk[0].Value, 36) + " – " + plain(chunk[len(chunk)-1].Value, 36)
		all = append(all, slackapi.NewOptionGroupBlockElement(plainText(name, maxOption), chunk...))
	}
	return all
}

func (f Form) queues() Block {
	yes := slackapi.NewOptionBlockObject("true", plainText("Provision queues of its own", maxOption), nil)
	e := slackapi.NewCheckboxGroupsBlockElement("input", yes)
	if f.Initial.ProvisionQueues {
		e.InitialOptions = []*slackapi.OptionBlockObject{yes}
	}
	return slackapi.NewInputBlock(FieldQueues, plainText("Queues", 2000), nil, e).WithOptional(true)
}

func (f Form) overrides() Block {
	const most = 3000
	e := slackapi.NewPlainTextInputBlockElement(plainText(`{"service1": {"LOG_LEVEL": "debug"}}`, 150), "input").
		WithMultiline(true).WithMaxLength(most)
	if text := string(f.Initial.EnvironmentVariablesOverrides); len(text) <= most {
		e.InitialValue = text
	}
	return slackapi.NewInputBlock(FieldOverrides, plainText("Environment variables (JSON)", 2000),
		plainText(`By name for every backend, or by service. Name a secret, never write one: {"KEY": {"secret": "name"}}`, 2000), e).
		WithOptional(true)
}

func (f Form) lifetime() Block {
	e := slackapi.NewPlainTextInputBlockElement(plainText("for example 2h", 150), "input").WithMaxLength(20)
	hint := "Minutes (120) or a time (2h, 90m, 1h30m)."
	if f.Default != "" {
		hint += " " + f.Default + " if left empty."
	}
	if f.Initial.TTLMinutes > 0 {
		e.InitialValue = fmt.Sprint(f.Initial.TTLMinutes)
	}
	return slackapi.NewInputBlock(FieldTTL, plainText("Lifetime", 2000), plainText(hint, 2000), e).WithOptional(true)
}

// ParseSubmission reads a form that was sent. Its faults are for Errors.
func ParseSubmission(in Interaction) (Provision, fault.List) {
	var faults fault.List
	p := Provision{Request: statemachine.Request{ProvisionQueues: len(in.Inputs[FieldQueues].Selected) > 0}}
	words := strings.Fields(in.Inputs[FieldCommit].Value)
	for _, w := range words {
		ref := refer(w)
		if ref.zero() {
			f := bad(FieldCommit, "%q is neither a commit nor a pull request.", shown(w)).
				WithNext("Give 7 or more digits of the commit, the URL of the pull request, or its number as #1.")
			if bareNumber.MatchString(w) {
				f = f.WithNext("For the pull request write #%s; of a commit give 7 or more digits.", w)
			}
			faults = append(faults, f)
			continue
		}
		if p.contradicts(ref) {
			faults = append(faults, bad(FieldCommit, "Two commits or two pull requests were given.").WithNext("Give one."))
			continue
		}
		p.refer(ref)
	}
	if len(words) == 0 {
		faults = append(faults, bad(FieldCommit, "A commit or a pull request is missing."))
	}
	for _, name := range in.Inputs[FieldServices].Selected {
		if !serviceName.MatchString(name) {
			faults = append(faults, bad(FieldServices, "%q cannot be the name of a service.", shown(name)))
			continue
		}
		p.Request.ServicesToProvision = append(p.Request.ServicesToProvision, name)
	}
	if len(in.Inputs[FieldServices].Selected) == 0 && !p.Request.ProvisionQueues {
		faults = append(faults, bad(FieldServices, "Choose at least one service, or queues."))
	}
	overrides, f := parseOverrides(in.Inputs[FieldOverrides].Value)
	if f != nil {
		faults = append(faults, f)
	}
	p.Request.EnvironmentVariablesOverrides = overrides
	if ttl := strings.TrimSpace(in.Inputs[FieldTTL].Value); ttl != "" {
		n, _, f := parseLifetime(ttl)
		if f != nil {
			faults = append(faults, f)
		}
		p.setTTL(n)
	}
	return p, faults
}

// Errors is the answer to a form with faults: each on its field, and one that has
// no field of its own on the commit, since Slack refuses an error elsewhere.
func Errors(faults fault.List) ([]byte, error) {
	texts := map[string]string{}
	for _, f := range faults {
		block := FieldCommit
		switch f.Field {
		case FieldServices, FieldOverrides, FieldTTL:
			block = f.Field
		}
		text := plain(strings.ReplaceAll(f.What+" "+f.Next, "`", ""), 500)
		if texts[block] != "" {
			text = plain(texts[block]+" "+text, 1500)
		}
		texts[block] = text
	}
	b, err := json.Marshal(slackapi.NewErrorsViewSubmissionResponse(texts))
	if err != nil {
		return nil, fmt.Errorf("write errors of form: %w", err)
	}
	return b, nil
}
