package stack

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"previewenv/infra/edge"
	"previewenv/infra/local/alb"
	"previewenv/infra/local/cloudfront"
	"previewenv/infra/local/codebuild"
	"previewenv/infra/local/ecs"
	localedge "previewenv/infra/local/edge"
	"previewenv/infra/local/manner"
	"previewenv/infra/local/stream"
	"previewenv/lambdas/config"
)

// agents start what gives the emulator hands.
func (s *Stack) agents(ctx context.Context) error {
	s.options.Tell("starting the load balancer, the tasks and the edge")
	s.alb = alb.New(alb.Options{Config: clientConfig(s.edgeURL, "alb"), LoadBalancer: s.Seeded.LoadBalancer, Log: s.options.Log, Manners: s.options.Manners})
	s.alb.Attach(s.Edge.Rewrite)
	s.closers = append(s.closers, func() error { s.alb.Close(); return nil })
	s.serve("alb", s.alb)

	s.ecs = ecs.New(ecs.Options{
		Config: clientConfig(s.edgeURL, "ecs"), Unpack: s.unpack, Healthy: s.alb.Healthy,
		Environment: append(s.clientEnvironment(), "AWS_ACCESS_KEY_ID=task", "AWS_SECRET_ACCESS_KEY=local"),
		Logs:        filepath.Join(s.options.Dir, "logs"), Log: s.options.Log,
	})
	s.ecs.Attach(s.Edge.Rewrite, s.Edge.Handle)
	s.closers = append(s.closers, func() error { s.ecs.Close(); return nil })

	if err := s.startFunctions(); err != nil {
		return err
	}
	s.builds()
	if err := s.distribution(); err != nil {
		return err
	}
	if s.options.SweepEvery > 0 {
		s.schedule()
	}
	return s.notify(ctx)
}

// schedule invokes the reaper as EventBridge Scheduler does.
func (s *Stack) schedule() {
	ctx, cancel := context.WithCancel(context.Background())
	s.closers = append(s.closers, func() error { cancel(); return nil })
	s.wait.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(s.options.SweepEvery):
				s.deliver(ctx, "reap", []byte("{}"))
			}
		}
	})
}

func (s *Stack) unpack(ref string) (ecs.Image, error) {
	image, err := s.images().Unpack(ref)
	return ecs.Image(image), err
}

// builds serves CodeBuild; the end of a build reaches the function as EventBridge
// would bring it.
func (s *Stack) builds() {
	builder := codebuild.New(codebuild.Options{
		Config: clientConfig(s.edgeURL, "codebuild"), Dir: filepath.Join(s.options.Dir, "builds"),
		Path:        []string{s.bin()},
		Environment: append(s.clientEnvironment(), "PREVIEWENV_IMAGES="+s.images().Dir),
		Timeout:     s.options.BuildTimeout,
		OnEvent: func(ctx context.Context, event json.RawMessage) {
			for range s.trouble.events(s.commitOf(ctx, event)) {
				s.deliver(ctx, "build", event)
			}
		},
	})
	s.Edge.Handle("codebuild", "StartBuild", builder)
	s.Edge.Handle("codebuild", "BatchGetBuilds", builder)
	s.Edge.Handle("codebuild", "StopBuild", builder)
	s.closers = append(s.closers, builder.Close)
}

// deliver invokes a function as an asynchronous source does: twice more when it
// fails.
func (s *Stack) deliver(ctx context.Context, name string, event []byte) {
	for try := range 3 {
		result, err := s.functions.Invoke(ctx, name, event)
		if err == nil && result.FunctionError == "" {
			return
		}
		s.options.Log.Warn("event not taken", "function", name, "try", try+1, "answer", string(result.Payload), "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(try+1) * time.Second):
		}
	}
}

// distribution serves *.localhost by the real viewer functions.
func (s *Stack) distribution() error {
	settings := edge.Settings{BaseDomain: domain}
	var paths []string
	for name, service := range s.Seeded.CatalogContent.Services {
		if service.Frontend != nil {
			settings.Frontend, settings.Routing = name, service.Frontend.Routing
			continue
		}
		settings.Backends = append(settings.Backends, edge.Backend{Name: name, Paths: service.Paths})
		paths = append(paths, service.Paths...)
	}
	slices.SortFunc(settings.Backends, func(a, b edge.Backend) int { return strings.Compare(a.Name, b.Name) })
	request, response, err := edge.Render(settings)
	if err != nil {
		return err
	}
	d, err := cloudfront.New(cloudfront.Options{
		Config: clientConfig(s.edgeURL, "cloudfront"), BaseDomain: domain, Request: request, Response: response,
		Store: s.Store.Edge(s.options.Manners).Get, Origin: s.alb, Backends: paths, Bucket: s.Seeded.Site, Log: s.options.Log,
	})
	if err != nil {
		return err
	}
	s.serve("preview", d)
	s.Edge.Forward(onPort(s.port("preview")), d)
	s.Edge.Forward(onPort(s.port("alb")), s.alb)
	s.Edge.Handle("cloudfront-keyvaluestore", "", s.Store)
	s.Edge.Rewrite("cloudfront", "CreateInvalidation", func(request, response []byte) []byte {
		var batch struct {
			Paths []string `xml:"Paths>Items>Path"`
		}
		if xml.Unmarshal(request, &batch) == nil {
			d.Invalidate(batch.Paths...)
		}
		return response
	})
	return nil
}

func onPort(port int) func(string) bool {
	suffix := "." + domain + ":" + strconv.Itoa(port)
	return func(host string) bool { return strings.HasSuffix(host, suffix) }
}

// notify hands the table's stream to its function.
func (s *Stack) notify(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	poller := stream.New(clientConfig(s.edgeURL, "stream"), s.Seeded.Table, func(ctx context.Context, event []byte) error {
		result, err := s.functions.Invoke(ctx, "notify", event)
		if err == nil && result.FunctionError != "" {
			err = fmt.Errorf("notify: %s", result.Payload)
		}
		return err
	})
	if s.options.Manners != nil {
		poller.Spread(manner.Shards, config.StreamFactor)
	}
	s.Edge.Observe(func(c localedge.Call) {
		if c.Service == "dynamodb" && (c.Operation == "PutItem" || c.Operation == "UpdateItem") {
			poller.Nudge()
		}
	})
	s.wait.Go(func() {
		if err := poller.Run(ctx); err != nil && ctx.Err() == nil {
			s.options.Log.Error("table stream ended", "error", err)
		}
	})
	s.closers = append(s.closers, func() error { cancel(); return nil })
	return nil
}

// healthy waits until the baseline answers through its own host.
func (s *Stack) healthy(ctx context.Context) error {
	s.options.Tell("waiting for the baseline to be healthy")
	const patience = time.Minute
	deadline := time.Now().Add(patience)
	for name, service := range s.Seeded.CatalogContent.Services {
		if service.Frontend != nil {
			continue
		}
		url := "http://staging." + domain + ":" + strconv.Itoa(s.port("alb")) + strings.TrimRight(service.Paths[0], "/*")
		for !s.answers(ctx, url) {
			if time.Now().After(deadline) {
				return fmt.Errorf("the baseline's %s does not answer at %s within %s", name, url, patience)
			}
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), fmt.Errorf("stopped while %s started", name))
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

func (s *Stack) answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
	return resp.StatusCode == http.StatusOK
}
