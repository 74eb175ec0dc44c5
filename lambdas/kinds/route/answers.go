package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"slices"
	"strings"
	"sync"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/kind"
	"previewenv/statemachine"
)

const (
	// rounds is how often in a row everything has to be right, each time on fresh
	// connections: a distribution is many machines, and a change reaches one after
	// the other, so that one good answer may be followed by an older one.
	rounds = 3
	// statePath is what the edge answers itself, with what it was told.
	statePath = "/_preview"
	// maxState is far above the size of that answer.
	maxState = 16 << 10
)

// Answers asks the edge what it was told and every override for an answer, through
// the public URL, three times in a row. A state that is not the published one, an
// override that does not answer, or by whose address something else answers, is a
// NotYet fault that names it: the edge needs a while to know of a new route.
// Whoever waits asks again.
//
// An answer below 400 has to bear the override's name. CloudFront marks none above,
// so that of those only the status can be judged, after the edge has said that the
// service is an override.
func (k *Kind) Answers(ctx context.Context, r kind.Resource) error {
	spec, err := k.spec(r)
	if err != nil {
		return err
	}
	for range rounds {
		if err := k.round(ctx, spec); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kind) round(ctx context.Context, spec Spec) error {
	wrongs := make([]string, 1+len(spec.Probes))
	var group sync.WaitGroup
	group.Go(func() { wrongs[0] = k.state(ctx, spec) })
	for i, probe := range spec.Probes {
		group.Go(func() { wrongs[1+i] = k.probe(ctx, spec, probe) })
	}
	group.Wait()
	var says []string
	var first string
	for i, wrong := range wrongs {
		if wrong == "" {
			continue
		}
		if first == "" && i > 0 {
			first = spec.Probes[i-1].Service
		}
		says = append(says, wrong)
	}
	if len(says) == 0 {
		return nil
	}
	f := fault.New(statemachine.ErrNotYet, "%s", strings.Join(says, " ")).
		WithNext("Open the URL and read the service's log; then provision the commit again, or a newer one. If the service is right to answer so, name a path and statuses in its probe in the catalog.")
	f.Service = first
	return f
}

// state says what is wrong with what the edge was told, if anything is.
func (k *Kind) state(ctx context.Context, spec Spec) string {
	url := spec.URL + statePath
	answer, failed := k.ask(ctx, url)
	if failed != "" {
		return failed
	}
	defer func() { _ = answer.Body.Close() }()
	var told struct {
		Environment, State, Commit string
		Overrides                  []string
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxState)).Decode(&told); err != nil {
		return fmt.Sprintf("%s answered %d without the state of the environment.", url, answer.StatusCode)
	}
	if told.Environment != spec.Label || told.State != spec.Value.State || told.Commit != spec.Value.Commit {
		return fmt.Sprintf("%s says that %q is %s at commit %q, and not %s at %q.",
			url, told.Environment, told.State, told.Commit, spec.Value.State, spec.Value.Commit)
	}
	for _, name := range spec.Value.Overrides {
		if !slices.Contains(told.Overrides, name) {
			return fmt.Sprintf("%s says that %s is not the environment's own.", url, name)
		}
	}
	return ""
}

// probe says in a sentence what is wrong with the answer, if anything is.
func (k *Kind) probe(ctx context.Context, spec Spec, probe Probe) string {
	url := spec.URL + probe.Path
	answer, failed := k.ask(ctx, url)
	if failed != "" {
		return failed
	}
	_ = answer.Body.Close()
	if wrong := probe.status(url, answer.StatusCode); wrong != "" {
		return wrong
	}
	return wrong(url, answer, map[string]string{
		"x-preview-environment": spec.Label,
		"x-preview-service":     probe.Service,
		"x-preview-commit":      spec.Value.Commit,
		"x-preview-source":      "override",
	})
}

// ask asks once; whoever gets an answer closes its body.
func (k *Kind) ask(ctx context.Context, url string) (answer *http.Response, failed string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Sprintf("%s is no URL.", url)
	}
	answer, err = k.HTTP.Do(request)
	if err != nil {
		// The client's error begins with the method and the URL, which are said here.
		var outer *neturl.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, fmt.Sprintf("%s did not answer: %v.", url, err)
	}
	return answer, ""
}

// status says what is wrong with a status. An API that wants a login, or has
// nothing at this path, answers as well as another; an error of the service or of
// the load balancer is no answer.
func (p Probe) status(url string, status int) string {
	switch {
	case len(p.Statuses) > 0 && !slices.Contains(p.Statuses, status):
		return fmt.Sprintf("%s answered %d, and %s is to answer one of %v there.", url, status, p.Service, p.Statuses)
	case status >= http.StatusInternalServerError:
		return fmt.Sprintf("%s answered %d.", url, status)
	}
	return ""
}

// wrong tells the first mark that is not as it should be.
func wrong(url string, answer *http.Response, want map[string]string) string {
	status := answer.StatusCode
	marks := []string{"x-preview-environment", "x-preview-source", "x-preview-service", "x-preview-commit"}
	if status >= http.StatusBadRequest && !slices.ContainsFunc(marks, func(name string) bool { return answer.Header.Get(name) != "" }) {
		return "" // CloudFront runs no viewer-response function on an error of the origin
	}
	for _, name := range marks {
		switch got := answer.Header.Get(name); got {
		case want[name]:
		case "":
			return fmt.Sprintf("%s answered %d without the header %s.", url, status, name)
		default:
			return fmt.Sprintf("%s answered %d, but %s is %q and not %q.", url, status, name, got, want[name])
		}
	}
	return ""
}
