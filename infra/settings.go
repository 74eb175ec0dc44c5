package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	root    string   // of the repository
	assets  string   // folder of the functions below it, as make build leaves them
	names   []string // of the functions
}

// readSettings takes the context of the CDK CLI: -c catalog=FILE names another catalog than
// infra/catalog.yaml, -c sample=true makes a small baseline of its own.
func readSettings(node constructs.Node) (settings, error) {
	context := func(name, otherwise string) string {
		if v, ok := node.TryGetContext(&name).(string); ok && v != "" {
			return v
		}
		return otherwise
	}
	s := settings{root: context("root", "."), assets: context("assets", ".local/lambda"), sample: context("sample", "") == "true"}
	file := context("catalog", filepath.Join("infra", "catalog.yaml"))
	if s.sample {
		file = filepath.Join("infra", "sample.yaml")
	}
	text, err := os.ReadFile(filepath.Join(s.root, file))
	if err != nil {
		return s, fmt.Errorf("read catalog: %w", err)
	}
	if s.sample {
		if text, err = filled(text, context); err != nil {
			return s, err
		}
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
		{"${REGION}", "region", "us-east-1"}, // where CloudFront looks for certificates
	} {
		value := context(v.key, v.otherwise)
		if value == "" {
			missing = append(missing, "-c "+v.key+"=…")
		}
		pairs = append(pairs, v.placeholder, value)
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
