package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"

	"previewenv/lambdas/catalog"
)

// settings is what the app was asked to make.
type settings struct {
	catalog *catalog.Catalog
	prefix  string // starts the name of everything
	account string
	region  string
	sample  bool     // make a small baseline too
	zones   []string // by id, that the sample lies in
	// prefixList is the id of the list of addresses that CloudFront calls origins from.
	prefixList string
	protect    bool     // keep the suite from being deleted
	root       string   // of the repository
	assets     string   // folder of the functions below it, as make build leaves them
	names      []string // of the functions
}

// readSettings takes the context of the CDK CLI: -c catalog=FILE names another catalog than
// infra/catalog.yaml, -c sample=true makes a small baseline of its own, -c protect=true
// keeps the stack of the suite from being deleted.
func readSettings(node constructs.Node) (settings, error) {
	context := func(name, otherwise string) string {
		switch v := node.TryGetContext(&name).(type) {
		case string:
			return cmp.Or(v, otherwise)
		case bool: // cdk.json may say true as well as "true"
			return strconv.FormatBool(v)
		}
		return otherwise
	}
	s := settings{root: context("root", "."), assets: context("assets", ".local/lambda"), sample: context("sample", "") == "true", protect: context("protect", "") == "true"}
	file := context("catalog", filepath.Join("infra", "catalog.yaml"))
	if s.sample {
		file = filepath.Join("infra", "sample.yaml")
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.root, path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the path is the command line's own
	if err != nil {
		return s, fmt.Errorf("read catalog: %w", err)
	}
	if s.sample {
		if text, err = filled(text, context); err != nil {
			return s, err
		}
		if s.zones, err = sampleZones(context("zones", "use1-az1,use1-az2")); err != nil {
			return s, err
		}
		s.prefixList = context("prefixList", edgePrefixList)
	}
	if s.catalog, err = catalog.Parse(text); err != nil {
		return s, fmt.Errorf("%s:\n%w", file, err)
	}
	if s.catalog.Installation == nil {
		return s, fmt.Errorf("%s: installation: is missing; it says which hosted zone, certificate and roles a deployment uses", file)
	}
	s.prefix = s.catalog.Installation.Prefix
	// arn:aws:elasticloadbalancing:<region>:<account>:listener/…
	parts := strings.SplitN(s.catalog.Baseline.Listeners[0], ":", 6)
	s.region, s.account = parts[3], parts[4]
	s.names, err = functionNames(s.root)
	return s, err
}

// filled puts the context of the command line into the sample's catalog. All that is
// missing is said at once.
func filled(text []byte, context func(name, otherwise string) string) ([]byte, error) {
	var pairs, missing []string
	for _, v := range []struct{ placeholder, key, otherwise string }{
		{"${ZONE}", "zone", ""}, {"${ZONE_ID}", "zoneId", ""}, {"${CONNECTION}", "connection", ""},
		{"${REPOSITORY}", "repository", ""}, {"${ACCOUNT}", "account", os.Getenv("CDK_DEFAULT_ACCOUNT")},
		{"${REGION}", "region", sampleRegion},
	} {
		value := context(v.key, v.otherwise)
		if value == "" {
			missing = append(missing, "-c "+v.key+"=…")
		}
		pairs = append(pairs, v.placeholder, value)
	}
	if region := context("region", sampleRegion); region != sampleRegion {
		return nil, fmt.Errorf("make sample: it is made in %s, not in %s: its certificate is the edge's too, and CloudFront looks for certificates there", sampleRegion, region)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("make sample: the command line lacks %s", strings.Join(missing, " "))
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(text))), nil
}

// functionFolder is where the functions are, from the root of the repository.
const functionFolder = "lambdas"

// functionNames are the folders of lambdas/ that hold a function, sorted.
func functionNames(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, functionFolder, "*", "main.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("find functions: there is none in %s; run this from the root of the repository", functionFolder)
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(filepath.Dir(file))
	}
	slices.Sort(names)
	return names, nil
}
