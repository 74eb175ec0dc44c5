package smoke

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// answerTimeout is longer than the edge waits for an origin by default, 30 s
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html).
const answerTimeout = 35 * time.Second

// asker asks for the paths of an environment again and again, and keeps the answers.
type asker struct {
	Options
	mu      sync.Mutex
	phase   phase
	answers []Answer
}

func newAsker(o Options) *asker {
	return &asker{Options: o, phase: phase{name: "before", pages: true}}
}

// start asks until ctx ends or stop is called.
func (a *asker) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	for service, path := range a.Services {
		wait.Go(func() {
			tick := time.NewTicker(a.Every)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					a.ask(ctx, service, path)
				}
			}
		})
	}
	return func() {
		cancel()
		wait.Wait()
	}
}

func (a *asker) enter(p phase) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase = p
}

func (a *asker) now() phase {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase
}

// ask asks once. An answer that was on its way when a phase began may be right by
// either.
func (a *asker) ask(ctx context.Context, service, path string) {
	before := a.now()
	answer := Answer{At: time.Now(), Service: service, Kind: Broken}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.ReplaceAll(a.URL, "{label}", a.Label)+path, nil)
	if err != nil {
		return
	}
	response, err := a.Client.Do(request)
	if err == nil {
		var body []byte
		body, err = io.ReadAll(io.LimitReader(response.Body, 64<<10))
		response.Body.Close()
		if err == nil {
			answer.Status = response.StatusCode
			classify(&answer, response.Header, body)
		}
	}
	if err != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return // the life has ended, not the answer
	}
	answer.Took = time.Since(answer.At)
	a.mu.Lock()
	defer a.mu.Unlock()
	answer.Phase = a.phase.name
	if answer.Wrong = before.judge(answer); answer.Wrong != "" {
		answer.Wrong = a.phase.judge(answer)
	}
	if answer.Wrong != "" && a.phase.late(answer) {
		answer.Wrong, answer.Late = "", true
	}
	a.answers = append(a.answers, answer)
}
