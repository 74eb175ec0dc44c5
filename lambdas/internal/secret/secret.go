// Package secret reads secrets when they are first needed, and keeps them for a
// short while. What it reads is never logged and stands in no error. It does not
// know what the secrets are for.
package secret

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// keep is how long a secret is used before it is read again: a rotated one is in
// use after five minutes, without a deployment, and at once where the old one is refused.
const keep = 5 * time.Minute

// recent is how long a refusal does not make a secret be read again: the refusals of
// strangers, or of a secret that is wrong, are no reason to ask each time.
const recent = 10 * time.Second

// API is what a Reader needs of Secrets Manager.
type API interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, opts ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Reader reads secrets; it may be used from several goroutines.
type Reader struct {
	api API
	now func() time.Time

	mu   sync.Mutex
	kept map[string]value
}

type value struct {
	text string
	read time.Time
}

// New makes a Reader. It calls nothing yet: a network call while a function
// starts would be paid by the first person who waits for it.
func New(api API) *Reader {
	return &Reader{api: api, now: time.Now, kept: map[string]value{}}
}

// Value is the text of the secret with this name or ARN. No id is no secret: "".
func (r *Reader) Value(ctx context.Context, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.kept[id]; ok && r.now().Sub(v.read) < keep {
		return v.text, nil
	}
	return r.read(ctx, id)
}

// Instead is the text of the secret after somebody has refused what Value gave: it is
// read again, unless that was done a moment ago. It may be the same text.
func (r *Reader) Instead(ctx context.Context, id, refused string) (string, error) {
	if id == "" {
		return "", nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.kept[id]; ok && (v.text != refused || r.now().Sub(v.read) < recent) {
		return v.text, nil
	}
	return r.read(ctx, id)
}

// Of is a source of the secret with this name or ARN, for clients that say which text
// was refused; "" asks for the first.
func (r *Reader) Of(id string) func(ctx context.Context, refused string) (string, error) {
	return func(ctx context.Context, refused string) (string, error) {
		if refused == "" {
			return r.Value(ctx, id)
		}
		return r.Instead(ctx, id, refused)
	}
}

func (r *Reader) read(ctx context.Context, id string) (string, error) {
	out, err := r.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", id, err)
	}
	if out.SecretString == nil {
		return "", fmt.Errorf("read secret %s: it is binary, not text", id)
	}
	r.kept[id] = value{text: *out.SecretString, read: r.now()}
	return *out.SecretString, nil
}
