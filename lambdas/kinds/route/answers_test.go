package route_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/kinds/route"
	"previewenv/statemachine"
)

func TestAnswers(t *testing.T) {
	right := map[string]string{
		"x-preview-environment": "pr1", "x-preview-service": "service1",
		"x-preview-commit": "abcd1234", "x-preview-source": "override",
	}
	but := func(name, value string) map[string]string {
		headers := map[string]string{}
		for key, is := range right {
			headers[key] = is
		}
		headers[name] = value
		return headers
	}
	tests := map[string]struct {
		status  int
		headers map[string]string
		says    []string // nothing when the override answers
	}{
		"the override answers":                           {200, right, nil},
		"a redirect is an answer":                        {302, right, nil},
		"an error of the caller's is an answer":          {404, right, nil},
		"an error of the service is none":                {502, right, []string{"502"}},
		"the shared service answers":                     {200, but("x-preview-source", "fallback"), []string{"200", `"fallback"`, `"override"`}},
		"another service answers":                        {200, but("x-preview-service", "service2"), []string{`"service2"`, `"service1"`}},
		"another commit answers":                         {200, but("x-preview-commit", "ffff0000"), []string{`"ffff0000"`, `"abcd1234"`}},
		"another environment answers":                    {200, but("x-preview-environment", "pr2"), []string{`"pr2"`}},
		"something else answers":                         {200, nil, []string{"without the header"}},
		"an error that the edge did not mark says so":    {404, nil, []string{"404", "400 or above"}},
		"the starting page is not the override's answer": {503, map[string]string{"x-preview-environment": "pr1"}, []string{"503"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/service1" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				for key, value := range test.headers {
					w.Header().Set(key, value)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			err := answers(t, server.URL, route.Probe{Service: "service1", Path: "/service1"})
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

func TestAnswersOfSeveral(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := strings.TrimPrefix(r.URL.Path, "/")
		if service == "slow" {
			<-r.Context().Done()
			return
		}
		w.Header().Set("x-preview-environment", "pr1")
		w.Header().Set("x-preview-service", service)
		w.Header().Set("x-preview-commit", "abcd1234")
		w.Header().Set("x-preview-source", map[bool]string{true: "fallback", false: "override"}[service == "shared"])
	}))
	defer server.Close()
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
	if err := answers(t, server.URL); err != nil {
		t.Errorf("Answers of no override = %v", err)
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
