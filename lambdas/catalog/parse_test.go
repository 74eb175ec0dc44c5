package catalog

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEveryFaultIsReportedAtOnceWithItsLine(t *testing.T) {
	_, err := Parse([]byte(read(t, "faults.yaml")))
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error is %T, want Faults", err)
	}
	golden(t, "faults.golden", faults.Error()+"\n")
}

func TestAGoodCatalogIsPublishedAsOneParameterAService(t *testing.T) {
	c, err := Parse([]byte(read(t, "good.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := c.Parameters("/previewenv")
	if err != nil {
		t.Fatal(err)
	}
	var digest strings.Builder
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[name]
		if strings.Contains(value, "{{") {
			t.Errorf("%s has {{ in it, which SSM refuses: %s", name, value)
		}
		var readable any
		if err := json.Unmarshal([]byte(value), &readable); err != nil {
			t.Fatal(err)
		}
		indented, err := json.MarshalIndent(readable, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&digest, "%s\n%s\n", name, indented)
	}
	golden(t, "parameters.golden", digest.String())
}

// each case is the good catalog with one thing replaced.
func TestParse(t *testing.T) {
	const listener = `["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/staging/50dc6c495c0c9188/f2f7dc8efc522ab2"]`
	tests := []struct{ rule, old, with, want string }{
		{"localhost is a base domain", "baseDomain: preview.example.com", "baseDomain: localhost", ""},
		{"a test catalog counts in seconds", "default: 60m, max: 24h, warn: 10m", "default: 30s, max: 90s, warn: 10s", ""},
		{"no warning is fine", ", warn: 10m", "", ""},
		{"a build may be given seconds", "timeout: 20m", "timeout: 45s", ""},
		{"a timeout of 0 is the default", "timeout: 20m", "timeout: 0", ""},
		{"a build ends while its state still waits", "timeout: 20m", "timeout: 81m", "81m is not a number of whole seconds up to 80m"},
		{"a build may take that long", "timeout: 20m", "timeout: 80m", ""},
		{"no service calls itself", "SERVICE2_HOST: service2", "SERVICE1_HOST: service1", "service1 would call itself"},
		{"two services never clone one", "ecsService: service2", "ecsService: service1", "service1 clones service1 already"},
		{"a person's share is not above the whole", "perOwner: 3", "perOwner: 31", "31 is more than the 30 of limits.environments"},
		{"no limit is below every share", "environments: 30", "environments: 0", ""},
		{"a cluster is the listener's neighbour", "cluster: staging", `cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/staging"`, "is in us-east-1, and the listener in eu-west-1"},
		{"so it is of its account", "cluster: staging", `cluster: "arn:aws:ecs:eu-west-1:999999999999:cluster/staging"`, "is of account 999999999999, and the listener of 123456789012"},
		{"a cluster may be named by its ARN", "cluster: staging", `cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/staging"`, ""},
		{"a name has no two hyphens in a row", "  orders: {clone: staging-orders}", "  orders: {clone: staging-orders}\n  a--b: {clone: staging-orders}", "single inner hyphens"},
		{"nor has the template of the label", "pr{{pullRequest}}", "pr--{{pullRequest}}", "is no DNS label"},
		{"one listener is known so far", listener, `[a, b]`, "one listener for now, not 2"},
		{"a network load balancer has no listener rules", "listener/app/", "listener/net/", "is not the ARN of a listener"},
		{"overrides are matched before fallbacks", "[40000, 49999]", "[30000, 49999]", "must begin after the overrides end"},
		{"a band of 1,280 is wide enough", "[1000, 39999]", "[1000, 2279]", ""},
		{"a narrower band is not", "[1000, 39999]", "[1000, 2278]", "has 1279 priorities; at least 1280"},
		{"a band has two ends", "[1000, 39999]", "[1000]", "must be a list of 2, not a list of 1"},
		{"a band begins before it ends", "[1000, 39999]", "[39999, 1000]", "39999 to 1000 does not lie within"},
		{"the warning comes before the end", "warn: 10m", "warn: 60m", "1h must be shorter"},
		{"two repositories need the repository in the label", "{shop: {github: acme/shop}}", "{shop: {github: acme/shop}, docs: {github: acme/docs}}", "add {{repository}}"},
		{"a label has no other placeholder", "pr{{pullRequest}}", "pr{{pullRequest}}-{{branch}}", "is no DNS label"},
		{"a label is short", "pr{{pullRequest}}", "a-very-long-label-for-a-preview-of-{{pullRequest}}", "is no DNS label"},
		{"a frontend has no paths", "{output: dist}", "{output: dist}\n    paths: [/web]", "a frontend has none"},
		{"two services never share a path", "[/service2, /service2/*]", "[/service1]", `service1 has the path "/service1" already`},
		{"a path is listed once", "[/service2, /service2/*]", "[/x, /x]", `service2 has the path "/x" already`},
		{"no backend takes every path", "[/service2, /service2/*]", "[/*]", `"/*" is not a path with a name of its own`},
		{"five wildcards fit", "[/service2, /service2/*]", "[/a*, /b*, /c*/*, \"/d?\"]", ""},
		{"six do not", "[/service2, /service2/*]", "[/a*, /b*, /c*/*, \"/d??\"]", "has 6 wildcards"},
		{"no backend takes the edge's own answer", "[/service2, /service2/*]", "[/_preview*]", "takes /_preview"},
		{"a probe is below the service's paths", "/service1/healthz", "/healthz", `"/healthz" is not below the paths of service1`},
		{"a probe is not another service's", "/service1/healthz", "/service2/healthz", `"/service2/healthz" is a path of service2`},
		{"the longer path is the owner's", "[/service2, /service2/*]", "[/service1/health*]", "is a path of service2"},
		{"a probe without a path has the first one", "{path: /service1/healthz, statuses: [200, 401]}", "{statuses: [401]}", ""},
		{"an error of the service is no answer", "[200, 401]", "[200, 500]", "500 is not a status from 200 to 499"},
		{"a frontend may be a static site", "{output: dist}", "{output: dist, routing: static}", ""},
		{"a route is found in one of three ways", "{output: dist}", "{output: dist, routing: folders}", `"folders" is not spa`},
		{"a backend may be silent for two minutes", "readTimeout: 2m", "readTimeout: 121s", "121s is not a number of whole seconds from 1s to 2m"},
		{"and for a second", "readTimeout: 2m", "readTimeout: 1s", ""},
		{"a time-out is there or is not", "readTimeout: 2m", "readTimeout: 0s", "is not a number of whole seconds"},
		{"a backend calls backends", "SERVICE2_HOST: service2", "SERVICE2_HOST: web", `there is no backend "web"`},
		{"a typed name is corrected", "SERVICE2_HOST: service2", "SERVICE2_HOST: servcie2", `did you mean "service2"?`},
		{"PREVIEW_ variables are the platform's", "SERVICE2_HOST", "PREVIEW_HOST", "the platform sets PREVIEW_HOST itself"},
		{"a buildspec stays in the repository", "web/buildspec.yml", "web/../../buildspec.yml", "is not the path of a buildspec"},
		{"a FIFO queue is cloned", "staging-orders", "staging-orders.fifo", ""},
		{"the reaper is paused", "baseDomain:", "reaper: {dryRun: true, maxRemovals: 5}\nbaseDomain:", ""},
		{"a truth is no text", "baseDomain:", "reaper: {dryRun: \"yes\"}\nbaseDomain:", "must be true or false"},
		{"fewer than no removals are none", "baseDomain:", "reaper: {maxRemovals: -1}\nbaseDomain:", "-1 is negative; 0 is the default, 20"},
		{"text is text", "cluster: staging", "cluster: 12", "must be text, not the number 12"},
		{"an alias is no value", "cluster: staging", "cluster: &a staging\n  host: *a", `the key "host" stands on line 4 already`},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			good := read(t, "good.yaml")
			if !strings.Contains(good, test.old) {
				t.Fatalf("the good catalog has no %q", test.old)
			}
			parse(t, strings.Replace(good, test.old, test.with, 1), test.want)
		})
	}
}

// parse wants exactly one fault, which says want, of a catalog, and returns the line
// that it is on; without want the catalog is good, and there is no line.
func parse(t *testing.T, text, want string) (line string) {
	t.Helper()
	_, err := Parse([]byte(text))
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return ""
	}
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(faults[0].What, want) {
		t.Fatalf("got %v, want one fault with %q", err, want)
	}
	return strings.Split(text, "\n")[faults[0].Line-1]
}

// installed is the good catalog with an installation.
func installed(t *testing.T) string {
	return read(t, "good.yaml") + `installation:
  prefix: pv
  hostedZone: {id: Z0123456789ABCDEFGHIJ, name: example.com}
  certificate: arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef
  connection: arn:aws:codeconnections:eu-west-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef
  executionRoles: ["arn:aws:iam::123456789012:role/staging-execution"]
`
}

func TestAnInstallation(t *testing.T) {
	tests := []struct{ rule, old, with, want string }{
		{"it is good", "prefix: pv", "prefix: pv", ""},
		{"Parameter Store keeps aws for itself", "prefix: pv", "prefix: awsprev", `"awsprev" begins with "aws", which AWS keeps for itself`},
		{"and ssm", "prefix: pv", "prefix: ssm", `"ssm" begins with "ssm"`},
		{"S3 keeps sthree", "prefix: pv", "prefix: sthree-a", `begins with "sthree"`},
		{"a prefix has no two hyphens in a row", "prefix: pv", "prefix: p--v", `"p--v" is not 1 to 8`},
		{"a certificate is of the listener's account", "us-east-1:123456789012:certificate", "us-east-1:999999999999:certificate", "is of account 999999999999"},
		{"so is the connection", "eu-west-1:123456789012:connection", "eu-west-1:999999999999:connection", "is of account 999999999999"},
		{"so is a role that starts tasks", "iam::123456789012:role/staging-execution", "iam::999999999999:role/staging-execution", "is of account 999999999999"},
		{"and one that previews run with", "iam::123456789012:role/staging/service1", "iam::999999999999:role/staging/service1", "is of account 999999999999"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			good := installed(t)
			if !strings.Contains(good, test.old) {
				t.Fatalf("the good catalog has no %q", test.old)
			}
			text := strings.Replace(good, test.old, test.with, 1)
			if line := parse(t, text, test.want); test.want != "" && !strings.Contains(line, test.with) {
				t.Errorf("the fault is on the line %q", line)
			}
		})
	}
}

// crowd is the good catalog with n more backends of two paths each.
func crowd(t *testing.T, n int, path string) string {
	var more strings.Builder
	for i := range n {
		fmt.Fprintf(&more, "  s%02d: {repository: shop, ecsService: s%02d, paths: [/s%02d%s, /s%02d%s/*], build: {buildspec: b.yml}}\n", i, i, i, path, i, path)
	}
	return strings.Replace(read(t, "good.yaml"), "services:\n", "services:\n"+more.String(), 1)
}

func TestPathsThatTheEdgeHasNoRoomForAreAFaultOfTheirLine(t *testing.T) {
	tests := []struct {
		rule, text, want, line string
	}{
		{"74 paths fit", crowd(t, 35, ""), "", ""},
		{"76 do not", crowd(t, 36, ""), "the backends up to this one have 76 paths, and the edge takes 74", "paths: [/service2"},
		{"nor do fewer that are long", crowd(t, 20, "/"+strings.Repeat("a", 90)), "bytes, and the edge has room for 2560", "  s11:"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			if line := parse(t, test.text, test.want); !strings.Contains(line, test.line) {
				t.Errorf("the fault is on the line %q, want %q", line, test.line)
			}
		})
	}
}

func TestWhatIsNoCatalogIsSaidToBeNone(t *testing.T) {
	tests := map[string]string{
		"":                   "catalog.yaml:1: the catalog is empty",
		"a: [":               "is no YAML",
		"- one\n- two":       "must be a map, not a list of 2",
		"just text":          `must be a map, not "just text"`,
		"a: b\n---\nc: d":    "one document is read",
		"? [a, b]\n: c":      "a key must be a name, not a list of 2",
		"baseline: &b [*b]":  "must be a map",
		"baseDomain: *other": "is no YAML",
	}
	for text, want := range tests {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) says %v, want %q", text, err, want)
		}
	}
}

func TestReservedLabels(t *testing.T) {
	tests := []struct {
		rule, host string
		want       []string
	}{
		{"a host elsewhere reserves nothing more", "staging.example.com", []string{"api", "default", "www"}},
		{"a host directly below reserves its label", "main.preview.example.com", []string{"api", "default", "main", "www"}},
		{"a deeper host cannot be taken", "a.b.preview.example.com", []string{"api", "default", "www"}},
		{"the base domain itself cannot be taken", "preview.example.com", []string{"api", "default", "www"}},
		{"what is reserved anyway stands once", "www.preview.example.com", []string{"api", "default", "www"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := &Settings{BaseDomain: "preview.example.com", Baseline: Baseline{Host: test.host}}
			if diff := cmp.Diff(test.want, s.Reserved()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"buildspec", "build", "ecsService", "service1", "service2"}
	tests := map[string]string{
		"bild": "build", "ecsservice": "ecsService", "servic2": "service2", "service": "service1", "unrelated": "", "": "", "x": "",
	}
	for name, want := range tests {
		if got := Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", name, got, want)
		}
	}
}

func TestDurationIsTextInJSON(t *testing.T) {
	var d Duration
	if err := json.Unmarshal([]byte(`"1h30m"`), &d); err != nil || d != Duration(90*time.Minute) {
		t.Errorf("got %v, %v", d, err)
	}
	for _, wrong := range []string{`90`, `"soon"`} {
		if err := json.Unmarshal([]byte(wrong), &d); err == nil {
			t.Errorf("%s was read", wrong)
		}
	}
	if got := (Build{}).Limit(); got != 15*time.Minute {
		t.Errorf("a build without a timeout has %s", got)
	}
	if got := (Build{Timeout: Duration(time.Minute)}).Limit(); got != time.Minute {
		t.Errorf("a build with a timeout has %s", got)
	}
}

func TestATooLargeParameterIsAnError(t *testing.T) {
	c, err := Parse([]byte(read(t, "good.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	large := c.Services["web"]
	large.Build.Buildspec = strings.Repeat("a", StandardSize)
	c.Services["web"] = large
	if _, err := c.Parameters("/p"); err == nil || !strings.Contains(err.Error(), "/p/services/web") {
		t.Errorf("got %v, want an error that names the parameter", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"good.yaml", "faults.yaml"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if (c == nil) == (err == nil) {
			t.Fatalf("catalog %v and error %v", c, err)
		}
		var faults Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0) {
			t.Fatalf("the error %v names no fault", err)
		}
	})
}
