package route_test

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/kinds/route"
	"previewenv/statemachine"
)

var right = map[string]string{
	"x-preview-environment": "pr1", "x-preview-service": "service1",
	"x-preview-commit": "abcd1234", "x-preview-source": "override",
}

func but(name, value string) map[string]string {
	headers := maps.Clone(right)
	headers[name] = value
	return headers
}

// told is what the edge says of pr1 when it was told of it.
const told = `{"environment":"pr1","state":"live","commit":"abcd1234","overrides":["service1"],"note":"…"}`

// public is the public URL of an environment: the edge's own answer, and those of
// the services.
func public(t *testing.T, state string, services http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/_preview" {
			_, _ = io.WriteString(w, state)
			return
		}
		services(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		status   int
		headers  map[string]string
		statuses []int
		says     []string // nothing when the override answers
	}{
		"the override answers":                             {200, right, nil, nil},
		"a redirect is an answer":                          {302, right, nil, nil},
		"an API that wants a login answers":                {401, nil, nil, nil},
		"one that forbids":                                 {403, nil, nil, nil},
		"one that has nothing there":                       {404, nil, nil, nil},
		"one that takes other methods":                     {405, nil, nil, nil},
		"an error of the service is none":                  {502, nil, nil, []string{"502"}},
		"a status of the catalog":                          {401, nil, []int{200, 401}, nil},
		"no status of the catalog":                         {404, nil, []int{200, 401}, []string{"404", "[200 401]"}},
		"a status of the catalog has to be the override's": {200, but("x-preview-source", "fallback"), []int{200}, []string{`"fallback"`}},
		"the shared service answers":                       {200, but("x-preview-source", "fallback"), nil, []string{"200", `"fallback"`, `"override"`}},
		"another service answers":                          {200, but("x-preview-service", "service2"), nil, []string{`"service2"`, `"service1"`}},
		"another commit answers":                           {200, but("x-preview-commit", "ffff0000"), nil, []string{`"ffff0000"`, `"abcd1234"`}},
		"another environment answers":                      {200, but("x-preview-environment", "pr2"), nil, []string{`"pr2"`}},
		"something else answers":                           {200, nil, nil, []string{"without the header"}},
		"a page of the edge is not the override's answer":  {404, map[string]string{"x-preview-environment": "pr1"}, nil, []string{"404", "without the header"}},
		"the starting page is not the override's answer":   {503, map[string]string{"x-preview-environment": "pr1"}, nil, []string{"503"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := public(t, told, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/service1" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				for key, value := range test.headers {
					w.Header().Set(key, value)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
			})
			err := answers(t, server.URL, route.Probe{Service: "service1", Path: "/service1", Statuses: test.statuses})
			if len(test.says) == 0 {
				if err != nil {
					t.Errorf("Answers = %v", err)
				}
				return
			}
			f := fault.As(err)
			if f == nil || f.Name != statemachine.ErrNotYet || f.Service != "service1" || f.Next == "" {
				t.Fatalf("Answers = %v, want NotYet of service1 with what to do", err)
			}
			for _, want := range append(test.says, server.URL+"/service1") {
				if !strings.Contains(f.What, want) {
					t.Errorf("%q does not say %q", f.What, want)
				}
			}
		})
	}
}

func TestAnswersOfTheEdgeItself(t *testing.T) {
	tests := map[string]struct{ state, says string }{
		"another commit":        {`{"environment":"pr1","state":"live","commit":"ffff0000","overrides":["service1"]}`, "ffff0000"},
		"still starting":        {`{"environment":"pr1","state":"starting","commit":"abcd1234","overrides":[]}`, "starting"},
		"not known":             {`{"environment":"pr1","state":"unknown","commit":"","overrides":[]}`, "unknown"},
		"another environment":   {strings.Replace(told, "pr1", "pr2", 1), `"pr2"`},
		"not an override there": {strings.Replace(told, "service1", "service2", 1), "service1 is not the environment's own"},
		"another page":          {"<!doctype html>", "without the state"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := public(t, test.state, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
			err := answers(t, server.URL, route.Probe{Service: "service1", Path: "/service1"})
			if f := fault.As(err); f == nil || f.Name != statemachine.ErrNotYet || !strings.Contains(f.What, test.says) {
				t.Errorf("Answers = %v, want NotYet that says %q", err, test.says)
			}
		})
	}
}

func TestAnswersAreThreeInARowEachOnAFreshConnection(t *testing.T) {
	for name, bad := range map[string]int64{"all good": 0, "the third is older": 3} {
		t.Run(name, func(t *testing.T) {
			var asked, connections atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/_preview" {
					_, _ = io.WriteString(w, told)
					return
				}
				headers := right
				if asked.Add(1) == bad {
					headers = but("x-preview-commit", "ffff0000")
				}
				for key, value := range headers {
					w.Header().Set(key, value)
				}
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			server.Start()
			defer server.Close()
			err := answers(t, server.URL, route.Probe{Service: "service1", Path: "/service1"})
			if (err == nil) != (bad == 0) {
				t.Errorf("Answers = %v", err)
			}
			if asked.Load() != 3 || connections.Load() != 6 {
				t.Errorf("%d questions to the service, and %d connections for both", asked.Load(), connections.Load())
			}
		})
	}
}

func TestAnswersOfSeveral(t *testing.T) {
	server := public(t, told, func(w http.ResponseWriter, r *http.Request) {
		service := strings.TrimPrefix(r.URL.Path, "/")
		if service == "slow" {
			<-r.Context().Done()
			return
		}
		w.Header().Set("x-preview-environment", "pr1")
		w.Header().Set("x-preview-service", service)
		w.Header().Set("x-preview-commit", "abcd1234")
		w.Header().Set("x-preview-source", map[bool]string{true: "fallback", false: "override"}[service == "shared"])
	})
	err := answers(t, server.URL, route.Probe{Service: "a", Path: "/a"}, route.Probe{Service: "slow", Path: "/slow"}, route.Probe{Service: "shared", Path: "/shared"})
	f := fault.As(err)
	if f == nil || f.Service != "slow" || !strings.Contains(f.What, "/slow did not answer") || !strings.Contains(f.What, "/shared answered") || strings.Contains(f.What, "/a ") {
		t.Errorf("Answers = %v, want both that are wrong, the first by name", err)
	}
}

func TestAnswersOfNobody(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	if err := answers(t, server.URL, route.Probe{Service: "service1", Path: "/"}); !fault.Is(err, statemachine.ErrNotYet) {
		t.Errorf("Answers = %v, want NotYet", err)
	}
	if err := answers(t, server.URL); !fault.Is(err, statemachine.ErrNotYet) {
		t.Errorf("Answers of no override = %v, want NotYet: the edge does not answer", err)
	}
}

func answers(t *testing.T, url string, probes ...route.Probe) error {
	t.Helper()
	spec := wanted()
	spec.URL, spec.Probes = url, probes
	k := route.FromConfig(plain(), own)
	k.HTTP.Timeout = 300 * time.Millisecond
	return k.Answers(t.Context(), row(t, spec))
}
