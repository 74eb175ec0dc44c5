package github

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"previewenv/lambdas/internal/fault"
	"previewenv/statemachine"
)

// linked is a client of an API that answers with a link to another host, which
// answers as given.
func linked(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	elsewhere := httptest.NewServer(answer)
	t.Cleanup(elsewhere.Close)
	return serve(t, "/repos/acme/shop/tarball/"+full, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/acme/shop?token=of-the-link", http.StatusFound)
	})
}

func TestTheTokenIsNotSentToWhereTheTarballIs(t *testing.T) {
	client := linked(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("another host was shown %q", got)
		}
		if got := r.URL.Query().Get("token"); got != "of-the-link" {
			t.Errorf("the link lost its token: %q", got)
		}
		fmt.Fprint(w, "tarball")
	})
	tarball, err := client.Tarball(t.Context(), "acme/shop", full)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tarball.Close() }()
	if got, err := io.ReadAll(tarball); string(got) != "tarball" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestATarballThatCannotBeHadIsSaidWithoutItsLink(t *testing.T) {
	away := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	for rule, test := range map[string]struct {
		client *Client
		name   string
	}{
		"GitHub refuses the token":             {serve(t, "/repos/acme/shop/tarball/"+full, say(401, `{}`)), statemachine.ErrInternal},
		"GitHub has no such commit":            {serve(t, "/repos/acme/shop/tarball/"+full, say(404, `{}`)), statemachine.ErrInternal},
		"GitHub is down":                       {serve(t, "/repos/acme/shop/tarball/"+full, say(502, ``)), statemachine.ErrUnavailable},
		"GitHub links to nothing":              {serve(t, "/repos/acme/shop/tarball/"+full, say(200, ``)), statemachine.ErrInternal},
		"the other host is down":               {linked(t, say(503, ``)), statemachine.ErrUnavailable},
		"the other host asks for less":         {linked(t, say(429, ``)), statemachine.ErrThrottled},
		"the other host hangs up":              {linked(t, away), statemachine.ErrUnavailable},
		"the link is not valid any more (404)": {linked(t, say(404, ``)), statemachine.ErrInternal},
	} {
		t.Run(rule, func(t *testing.T) {
			_, err := test.client.Tarball(t.Context(), "acme/shop", full)
			f := fault.As(err)
			if f == nil || f.Name != test.name || f.Next == "" {
				t.Fatalf("Tarball = %v, want %s", err, test.name)
			}
			for _, secret := range []string{token, "of-the-link"} {
				if strings.Contains(fmt.Sprint(f, f.Cause), secret) {
					t.Errorf("the words hold %q: %v, %v", secret, f, f.Cause)
				}
			}
		})
	}
}
