package edge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestViewerRequestPassesLiveEnvironments(t *testing.T) {
	code, _ := rendered(t)
	tests := map[string]struct{ host, uri, want string }{
		"the root is the index of the own build":             {"pr1.preview.example.com", "/", "/pr1/abcd1234/index.html"},
		"a file comes from the own build":                    {"pr1.preview.example.com", "/assets/app.js", "/pr1/abcd1234/assets/app.js"},
		"a route without extension is the index":             {"pr1.preview.example.com", "/orders/42", "/pr1/abcd1234/index.html"},
		"a folder is the index":                              {"pr1.preview.example.com", "/v1.2/", "/pr1/abcd1234/index.html"},
		"without an own build it is the default one":         {"pr2.preview.example.com", "/assets/app.js", "/default/assets/app.js"},
		"a backend path goes on unchanged":                   {"pr1.preview.example.com", "/service1/a.b", "/service1/a.b"},
		"a backend that is not overridden, too":              {"pr1.preview.example.com", "/service2/v1/x", "/service2/v1/x"},
		"an exact pattern is exact":                          {"pr1.preview.example.com", "/service1", "/service1"},
		"an exact pattern takes no more":                     {"pr1.preview.example.com", "/service12", "/pr1/abcd1234/index.html"},
		"a question mark is one character":                   {"pr1.preview.example.com", "/service2/v/x.js", "/pr1/abcd1234/service2/v/x.js"},
		"patterns have case":                                 {"pr1.preview.example.com", "/SERVICE1/a.js", "/pr1/abcd1234/SERVICE1/a.js"},
		"an encoded backend path is no backend path":         {"pr1.preview.example.com", "/%73ervice1/x.js", "/pr1/abcd1234/%73ervice1/x.js"},
		"two slashes are no backend path":                    {"pr1.preview.example.com", "//service1/x.js", "/pr1/abcd1234//service1/x.js"},
		"the prefix of the default build is no way there":    {"pr1.preview.example.com", "/default/app.js", "/pr1/abcd1234/default/app.js"},
		"the prefix of another build is no way there":        {"pr2.preview.example.com", "/pr1/abcd1234/app.js", "/default/pr1/abcd1234/app.js"},
		"a port does not matter":                             {"pr1.preview.example.com:8080", "/app.js", "/pr1/abcd1234/app.js"},
		"a host has no case":                                 {"PR1.Preview.Example.COM", "/app.js", "/pr1/abcd1234/app.js"},
		"dots inside a name are no dot segment":              {"pr1.preview.example.com", "/a..b/c...js", "/pr1/abcd1234/a..b/c...js"},
		"an encoded space stays as it is":                    {"pr1.preview.example.com", "/a%20b.js", "/pr1/abcd1234/a%20b.js"},
		"a lone percent sign is the origin's to complain of": {"pr1.preview.example.com", "/100%.js", "/pr1/abcd1234/100%.js"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(t, code, map[string]any{"request": request(test.host, test.uri, "text/html")})
			if got.StatusCode != 0 {
				t.Fatalf("refused with %d: %s", got.StatusCode, got.Body.Data)
			}
			if diff := cmp.Diff(test.want, got.URI); diff != "" {
				t.Errorf("uri (-want +got):\n%s", diff)
			}
		})
	}
}

func TestViewerRequestFindsTheFileOfAPath(t *testing.T) {
	const browser, script = "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"
	tests := map[string]struct{ routing, uri, accept, want string }{
		"a route": {RoutingSPA, "/orders/42", browser, "/index.html"},
		"a name with a dot is a route to a browser": {RoutingSPA, "/users/john.doe", browser, "/index.html"},
		"and a file to a script":                    {RoutingSPA, "/models/car.glb", script, "/models/car.glb"},
		"a version is a route":                      {RoutingSPA, "/docs/v1.2", browser, "/index.html"},
		"a known extension is a file to a browser":  {RoutingSPA, "/report.pdf", browser, "/report.pdf"},
		"an extension has no case":                  {RoutingSPA, "/logo.PNG", browser, "/logo.PNG"},
		"a page by its name":                        {RoutingSPA, "/about.html", browser, "/about.html"},
		"what is well known has no extension":       {RoutingSPA, "/.well-known/apple-app-site-association", browser, "/.well-known/apple-app-site-association"},
		"static: a page is the index of its folder": {RoutingStatic, "/about", browser, "/about/index.html"},
		"static: a folder":                          {RoutingStatic, "/about/", browser, "/about/index.html"},
		"static: the root":                          {RoutingStatic, "/", browser, "/index.html"},
		"static: a name with a dot":                 {RoutingStatic, "/docs/v1.2", browser, "/docs/v1.2/index.html"},
		"static: a file":                            {RoutingStatic, "/about/x.css", browser, "/about/x.css"},
		"html: a page is a file of its name":        {RoutingHTML, "/about", browser, "/about.html"},
		"html: a folder has an index":               {RoutingHTML, "/docs/", browser, "/docs/index.html"},
		"html: the root":                            {RoutingHTML, "/", browser, "/index.html"},
		"html: a file":                              {RoutingHTML, "/app.js", browser, "/app.js"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := settings
			s.Routing = test.routing
			code, _, err := Render(s)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, code, map[string]any{"request": request("pr1.preview.example.com", test.uri, test.accept)})
			if diff := cmp.Diff("/pr1/abcd1234"+test.want, got.URI); diff != "" {
				t.Errorf("uri (-want +got):\n%s", diff)
			}
		})
	}
}

func TestViewerRequestSaysWhatItWasTold(t *testing.T) {
	code, _ := rendered(t)
	type told struct {
		Environment, State, Commit string
		Overrides                  []string
	}
	tests := map[string]struct {
		label  string
		status int
		want   told
	}{
		"a live one":            {"pr1", 200, told{"pr1", "live", "abcd1234", []string{"service1"}}},
		"a starting one":        {"pr3", 200, told{"pr3", "starting", "abcd1234<script>", []string{}}},
		"a removed one":         {"pr4", 200, told{"pr4", "gone", "", []string{}}},
		"one that is not known": {"pr9", 503, told{"pr9", "unknown", "", []string{}}},
		"one of another state":  {"odd", 503, told{"odd", "unknown", "", []string{}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer := run(t, code, map[string]any{"request": request(test.label+".preview.example.com", StatePath, "")})
			var got told
			if err := json.Unmarshal([]byte(answer.Body.Data), &got); err != nil {
				t.Fatalf("%v: %s", err, answer.Body.Data)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			if answer.StatusCode != test.status || answer.Headers["cache-control"].Value != "no-store" || answer.Headers["content-type"].Value != "application/json" {
				t.Errorf("%d %v", answer.StatusCode, answer.Headers)
			}
		})
	}
}

func TestViewerRequestRefuses(t *testing.T) {
	code, _ := rendered(t)
	const live = "pr1.preview.example.com"
	tests := map[string]struct {
		host, uri string
		status    int
		says      string
	}{
		"an unknown environment may be new or gone":            {"pr9.preview.example.com", "/", 503, "is not known here"},
		"an unknown environment on a backend path":             {"pr9.preview.example.com", "/service1/x", 503, "is not known here"},
		"an environment that was removed":                      {"pr4.preview.example.com", "/", 404, "was removed"},
		"an environment that was removed, by a backend's path": {"pr4.preview.example.com", "/service1/x", 404, "was removed"},
		"a deeper label":                           {"a.pr1.preview.example.com", "/", 404, "no environment"},
		"the base domain itself":                   {"preview.example.com", "/", 404, "no environment"},
		"another domain":                           {"pr1.example.org", "/", 404, "no environment"},
		"a domain that only ends alike":            {"pr1.evilpreview.example.com", "/", 404, "no environment"},
		"a trailing dot":                           {"pr1.preview.example.com.", "/", 404, "no environment"},
		"an empty host":                            {"", "/", 404, "no environment"},
		"an empty label":                           {".preview.example.com", "/", 404, "no environment"},
		"the reserved label":                       {"default.preview.example.com", "/", 404, "no environment"},
		"the reserved label in capitals":           {"DEFAULT.preview.example.com", "/", 404, "no environment"},
		"a label with a quote":                     {"pr1'.preview.example.com", "/", 404, "no environment"},
		"a label with markup":                      {"<b>.preview.example.com", "/", 404, "no environment"},
		"a label that begins with a hyphen":        {"-pr1.preview.example.com", "/", 404, "no environment"},
		"a label of 64 characters":                 {strings.Repeat("a", 64) + ".preview.example.com", "/", 404, "no environment"},
		"a starting environment":                   {"pr3.preview.example.com", "/", 503, "starting at commit abcd1234"},
		"a starting environment on a backend path": {"pr3.preview.example.com", "/service1/x", 503, "starting"},
		"an environment whose state is unknown":    {"odd.preview.example.com", "/", 503, "is not known here"},
		"an environment whose value is no JSON":    {"garbled.preview.example.com", "/", 503, "is not known here"},
		"dot segments":                             {live, "/x/../service1/y", 400, "not valid"},
		"dot segments at the end":                  {live, "/service1/..", 400, "not valid"},
		"encoded dot segments":                     {live, "/service1/%2e%2E/default/a.js", 400, "not valid"},
		"half-encoded dot segments":                {live, "/service1/.%2e/x", 400, "not valid"},
		"dot segments behind encoded slashes":      {live, "/a%2f..%2fx.js", 400, "not valid"},
		"dot segments encoded twice":               {live, "/a/%252e%252e/x.js", 400, "not valid"},
		"dot segments beside a lone percent sign":  {live, "/%2e%2e/%zz/x.js", 400, "not valid"},
		"dot segments with backslashes":            {live, `/a\..\x.js`, 400, "not valid"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(t, code, map[string]any{"request": request(test.host, test.uri, "text/html")})
			if got.StatusCode != test.status {
				t.Fatalf("status %d, want %d", got.StatusCode, test.status)
			}
			if !strings.Contains(got.Body.Data, test.says) {
				t.Errorf("body does not say %q:\n%s", test.says, got.Body.Data)
			}
			if strings.Count(got.Body.Data, "<script") > 1 || strings.Contains(got.Body.Data, "<b>") {
				t.Errorf("body carries markup from outside:\n%s", got.Body.Data)
			}
			if got.Headers["cache-control"].Value != "no-store" || got.Headers["x-robots-tag"].Value != "noindex" {
				t.Errorf("a refusal can be stored or indexed: %v", got.Headers)
			}
			if waits := got.Headers["retry-after"].Value == "5"; waits != (test.status == 503) {
				t.Errorf("retry-after is %q with %d", got.Headers["retry-after"].Value, test.status)
			}
		})
	}
}

func TestViewerRequestAnswersInTheCallersTerms(t *testing.T) {
	code, _ := rendered(t)
	const gone = "pr9.preview.example.com"
	tests := map[string]struct {
		host, uri, accept string
		json              bool
		says              []string
	}{
		"a browser gets a page that says how to get it back": {gone, "/", "text/html,application/xhtml+xml,*/*;q=0.8", false, []string{"<!doctype html>", "/provisionenv"}},
		"a script gets JSON":                            {gone, "/data", "application/json, text/plain, */*", true, nil},
		"a backend path gets JSON whatever is accepted": {gone, "/service1", "text/html", true, nil},
		"whoever says nothing gets a page":              {gone, "/", "", false, []string{"<!doctype html>"}},
		"JSON behind HTML is a page":                    {gone, "/", "text/html, application/json", false, []string{"<!doctype html>"}},
		"a starting page looks again, and not for ever": {"pr3.preview.example.com", "/", "text/html", false, []string{"location.reload()", "stopped looking"}},
		"a starting backend path gets JSON":             {"pr3.preview.example.com", "/service1", "text/html", true, []string{"starting"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := run(t, code, map[string]any{"request": request(test.host, test.uri, test.accept)})
			for _, want := range test.says {
				if !strings.Contains(got.Body.Data, want) {
					t.Errorf("body does not hold %q:\n%s", want, got.Body.Data)
				}
			}
			var body map[string]string
			if err := json.Unmarshal([]byte(got.Body.Data), &body); (err == nil) != test.json {
				t.Fatalf("JSON is %v, want %v:\n%s", err == nil, test.json, got.Body.Data)
			}
			if test.json && (body["error"] == "" || body["environment"] != strings.Split(test.host, ".")[0]) {
				t.Errorf("JSON does not name the error and the environment: %v", body)
			}
			if isJSON := got.Headers["content-type"].Value == "application/json"; isJSON != test.json {
				t.Errorf("content-type is %q", got.Headers["content-type"].Value)
			}
		})
	}
}
