package route

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"strings"
	"sync"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

// maxDrained is how much of an answer is read, so that its connection can be
// used again; a longer one is hung up on.
const maxDrained = 64 << 10

// Answers asks every override through the public URL, once. An override that does
// not answer, or by whose address something else answers, is a NotYet fault that
// names it: the edge needs seconds to know of a new route. Whoever waits asks again.
func (k *Kind) Answers(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	wrongs := make([]string, len(spec.Probes))
	var group sync.WaitGroup
	for i, probe := range spec.Probes {
		group.Go(func() { wrongs[i] = k.probe(ctx, spec, probe) })
	}
	group.Wait()
	var says []string
	var first string
	for i, wrong := range wrongs {
		if wrong == "" {
			continue
		}
		if first == "" {
			first = spec.Probes[i].Service
		}
		says = append(says, wrong)
	}
	if len(says) == 0 {
		return nil
	}
	f := fault.New(statemachine.ErrNotYet, "%s", strings.Join(says, " ")).
		WithNext("Open the URL and read the service's log; then provision the commit again, or a newer one.")
	f.Service = first
	return f
}

// probe says in a sentence what is wrong with the answer, if anything is.
func (k *Kind) probe(ctx context.Context, spec Spec, probe Probe) string {
	url := spec.URL + probe.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Sprintf("%s is no URL.", url)
	}
	answer, err := k.HTTP.Do(request)
	if err != nil {
		// The client's error begins with the method and the URL, which are said here.
		var outer *neturl.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Sprintf("%s did not answer: %v.", url, err)
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxDrained)
	_ = answer.Body.Close()
	return wrong(url, answer, map[string]string{
		"x-preview-environment": spec.Label,
		"x-preview-service":     probe.Service,
		"x-preview-commit":      spec.Value.Commit,
		"x-preview-source":      "override",
	})
}

// wrong tells the first thing that is not as it should be.
func wrong(url string, answer *http.Response, want map[string]string) string {
	status := answer.StatusCode
	if status >= http.StatusInternalServerError {
		return fmt.Sprintf("%s answered %d.", url, status)
	}
	for _, name := range []string{"x-preview-environment", "x-preview-source", "x-preview-service", "x-preview-commit"} {
		got := answer.Header.Get(name)
		switch {
		case got == want[name]:
			continue
		case got == "" && status >= http.StatusBadRequest:
			// CloudFront runs no viewer-response function on an error of the origin.
			return fmt.Sprintf("%s answered %d, and the edge marks no answer of 400 or above: who answered cannot be told.", url, status)
		case got == "":
			return fmt.Sprintf("%s answered %d without the header %s.", url, status, name)
		}
		return fmt.Sprintf("%s answered %d, but %s is %q and not %q.", url, status, name, got, want[name])
	}
	return ""
}
