package edge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestViewerResponseSaysWhatAnswered(t *testing.T) {
	_, code := rendered(t)
	said := func(environment, service, commit, source string) map[string]string {
		return map[string]string{"x-preview-environment": environment, "x-preview-service": service,
			"x-preview-commit": commit, "x-preview-source": source, "x-robots-tag": "noindex"}
	}
	only := func(environment string) map[string]string {
		return map[string]string{"x-preview-environment": environment, "x-robots-tag": "noindex"}
	}
	tests := map[string]struct {
		host, uri string
		want      map[string]string
	}{
		"the own build, rewritten path":                {"pr1.preview.example.com", "/pr1/abcd1234/index.html", said("pr1", "web", "abcd1234", "override")},
		"the own build, viewer's path":                 {"pr1.preview.example.com", "/orders", said("pr1", "web", "abcd1234", "override")},
		"the default build":                            {"pr2.preview.example.com", "/default/index.html", said("pr2", "web", "baseline", "fallback")},
		"an own backend":                               {"pr1.preview.example.com", "/service1/x", said("pr1", "service1", "abcd1234", "override")},
		"a shared backend":                             {"pr1.preview.example.com", "/service2/v1/x", said("pr1", "service2", "baseline", "fallback")},
		"the longer pattern counts":                    {"pr2.preview.example.com", "/service1/deep/x", said("pr2", "service2", "ffff0000", "override")},
		"the longer pattern counts, where it is first": {"pr1.preview.example.com", "/service2/v1/own/x", said("pr1", "service1", "abcd1234", "override")},
		"a host in capitals":                           {"PR1.PREVIEW.EXAMPLE.COM", "/service1/x", said("pr1", "service1", "abcd1234", "override")},
		"an environment gone meanwhile":                {"pr9.preview.example.com", "/service1/x", only("pr9")},
		"an environment that is starting":              {"pr3.preview.example.com", "/service1/x", only("pr3")},
		"an environment that was removed":              {"pr4.preview.example.com", "/", only("pr4")},
		"no environment":                               {"preview.example.com", "/", map[string]string{"x-robots-tag": "noindex"}},
		"the reserved label":                           {"default.preview.example.com", "/", map[string]string{"x-robots-tag": "noindex"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(t, code, map[string]any{
				"request": request(test.host, test.uri, ""),
				// What an origin says of itself must not come through.
				"response": map[string]any{"statusCode": 200, "headers": map[string]any{
					"x-preview-source": field{"override"}, "x-preview-service": field{"forged"}, "content-type": field{"text/html"}}},
			})
			headers := map[string]string{}
			for key, value := range got.Headers {
				if strings.HasPrefix(key, "x-") {
					headers[key] = value.Value
				}
			}
			if diff := cmp.Diff(test.want, headers); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if got.StatusCode != 200 || got.Headers["content-type"].Value != "text/html" {
				t.Errorf("the answer itself was changed: %d %v", got.StatusCode, got.Headers)
			}
		})
	}
}

func TestViewerResponseHidesThePrefixOfABuild(t *testing.T) {
	_, code := rendered(t)
	tests := map[string]struct{ uri, location, want string }{
		"a path":                       {"/pr1/abcd1234/docs", "/pr1/abcd1234/docs/", "/docs/"},
		"the root":                     {"/pr1/abcd1234/docs", "/pr1/abcd1234/", "/"},
		"a URL":                        {"/pr1/abcd1234/docs", "https://pr1.preview.example.com/pr1/abcd1234/docs/?a=1", "https://pr1.preview.example.com/docs/?a=1"},
		"a URL without scheme":         {"/pr1/abcd1234/docs", "//pr1.preview.example.com/pr1/abcd1234/docs/", "//pr1.preview.example.com/docs/"},
		"another path is left alone":   {"/pr1/abcd1234/docs", "/elsewhere/pr1/abcd1234/", "/elsewhere/pr1/abcd1234/"},
		"another prefix is left alone": {"/pr1/abcd1234/docs", "/pr1/abcd12345/", "/pr1/abcd12345/"},
		"a backend's is left alone":    {"/service1/x", "/pr1/abcd1234/x", "/pr1/abcd1234/x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(t, code, map[string]any{
				"request":  request("pr1.preview.example.com", test.uri, ""),
				"response": map[string]any{"statusCode": 302, "headers": map[string]any{"location": field{test.location}}},
			})
			if diff := cmp.Diff(test.want, got.Headers["location"].Value); diff != "" {
				t.Errorf("location (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRender(t *testing.T) {
	many := func(n int) (backends []Backend) {
		for i := range n {
			backends = append(backends, Backend{Name: fmt.Sprintf("service%d", i), Paths: []string{fmt.Sprintf("/service%d", i), fmt.Sprintf("/service%d/*", i)}})
		}
		return backends
	}
	tests := map[string]struct {
		settings Settings
		wrong    string
	}{
		"twenty backends fit":                {Settings{BaseDomain: "preview.example.com", Backends: many(20), Frontend: "web"}, ""},
		"no backend is a frontend alone":     {Settings{BaseDomain: "preview.example.com", Frontend: "web"}, ""},
		"a backend without paths is none":    {Settings{BaseDomain: "preview.example.com", Backends: []Backend{{Name: "worker"}}}, ""},
		"too much for a function is refused": {Settings{BaseDomain: "preview.example.com", Backends: many(300)}, "CloudFront function"},
		"no base domain is refused":          {Settings{}, "base domain"},
		"a base domain with a port":          {Settings{BaseDomain: "localhost:8080"}, "base domain"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, response, err := Render(test.settings)
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Fatalf("error %v does not say %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range []string{request, response} {
				if len(code) > MaxBytes || strings.Contains(code, placeholder) {
					t.Errorf("%d bytes, placeholder left: %v", len(code), strings.Contains(code, placeholder))
				}
			}
		})
	}
}
