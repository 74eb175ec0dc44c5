package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"previewenv/lambdas/catalog"
)

// secretKey marks a value that names a secret: {"secret": "arn or name"}.
const secretKey = "secret"

var (
	// knownSecret are the shapes that issuers gave their secrets so that they can be
	// found. Only beginnings count: lengths change (GitHub's did in 2026).
	knownSecret = regexp.MustCompile(`(AKIA|ASIA)[A-Z0-9]{12}|gh[pousr]_|github_pat_|xox[abeprs]-|xapp-|sk_live_|-----BEGIN [A-Z ]*PRIVATE KEY`)
	// secretID is a name in Secrets Manager or Parameter Store, or an ARN of either.
	secretID = regexp.MustCompile(`^(arn:[a-z-]+:(secretsmanager|ssm):[a-z0-9-]+:\d{12}:)?[A-Za-z0-9/_+=.@:-]{1,512}$`)
)

// value reads one variable.
func (p *overridesPass) value(name string, raw json.RawMessage) (Value, bool) {
	before := len(p.faults)
	switch {
	case !catalog.ValidVariable(name):
		p.refuse(bad("%s is no name of a variable.", shown(name)).WithNext("Letters, digits and _ are, the first no digit."))
	case knownSecret.MatchString(name):
		p.refuse(bad("The name of a variable looks like a secret.").WithNext("Change that secret now: it was sent in the clear."))
	case catalog.PlatformVariable(name):
		p.refuse(bad("%s is set by the platform.", name).WithNext("PORT, AWS_*, ECS_* and PREVIEW_* cannot be overridden."))
	}
	var v Value
	if bytes.HasPrefix(raw, []byte("{")) {
		v.Secret = p.secret(name, raw)
	} else if err := json.Unmarshal(raw, &v.Text); err != nil || bytes.Equal(raw, []byte("null")) {
		p.refuse(bad("The value of %s is no text.", shown(name)).WithNext("Put it in quotes."))
	} else if knownSecret.MatchString(v.Text) {
		p.refuse(bad("The value of %s looks like a secret.", shown(name)).
			WithNext(`Name a secret instead: {"NAME": {"secret": "its name or ARN"}}. Change that one: it was sent in the clear.`))
	}
	return v, len(p.faults) == before
}

func (p *overridesPass) secret(name string, raw json.RawMessage) string {
	entries, err := members(raw)
	var id string
	if err != nil || len(entries) != 1 || entries[0].key != secretKey || json.Unmarshal(entries[0].value, &id) != nil {
		p.refuse(bad("The value of %s is neither text nor the name of a secret.", shown(name)).
			WithNext(`Write {"secret": "its name or ARN"}.`))
		return ""
	}
	if !secretID.MatchString(id) || knownSecret.MatchString(id) {
		p.refuse(bad("The secret of %s is no name or ARN.", shown(name)).
			WithNext("It is named as Secrets Manager or Parameter Store lists it; a secret itself is never written here."))
		return ""
	}
	return id
}

// shown is what a person typed, short enough to read, and never a secret.
func shown(text string) string {
	const enough = 60
	if knownSecret.MatchString(text) {
		return "(a secret)"
	}
	if runes := []rune(text); len(runes) > enough {
		text = string(runes[:enough]) + "…"
	}
	return strconv.Quote(text)
}

// member is one key of a JSON object with its value.
type member struct {
	key   string
	value json.RawMessage
}

// members reads an object without losing a key that stands twice.
func members(raw json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("it does not begin with {")
	}
	var entries []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, broken(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, broken(err)
		}
		name, _ := key.(string) // within an object the decoder gives a string or an error
		entries = append(entries, member{name, value})
	}
	if _, err := d.Token(); err != nil {
		return nil, broken(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind it")
	}
	return entries, nil
}

// broken says where JSON stopped being so; the decoder's own words may quote a value.
func broken(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is no JSON at character %d", syntax.Offset)
	}
	return errors.New("it is no JSON")
}
