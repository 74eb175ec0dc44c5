package github

import (
	"context"
	"net/http"
)

// Token gives the token to use; refused is the one that GitHub has just refused, or
// empty.
type Token func(ctx context.Context, refused string) (string, error)

// tokenError says that there is no token, which is no fault of GitHub's.
type tokenError struct{ error }

func (e *tokenError) Unwrap() error { return e.error }

// transport signs each request with the token of now: a client lives as long as the
// sandbox of its function, and a token until somebody rotates it.
type transport struct {
	source Token
	next   http.RoundTripper
}

// RoundTrip sends a request, and sends it again when its token was refused and there is
// another. All requests are reads without a body.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := t.source(r.Context(), "")
	if err != nil {
		return nil, &tokenError{err}
	}
	response, err := t.next.RoundTrip(signed(r, token))
	if err != nil || response.StatusCode != http.StatusUnauthorized || token == "" || r.Body != nil {
		return response, err
	}
	another, err := t.source(r.Context(), token)
	if err != nil || another == token {
		return response, nil //nolint:nilerr // the refusal says more to who asked
	}
	_ = response.Body.Close()
	return t.next.RoundTrip(signed(r, another))
}

func signed(r *http.Request, token string) *http.Request {
	if token == "" {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}
