// Package edge holds the two CloudFront viewer functions that stand before every
// environment, and renders them for one installation. The CDK app deploys what it
// renders, and the local stack runs the same. It knows nothing of AWS clients, of
// the catalog's file or of how the distribution is made.
package edge

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// MaxBytes is what CloudFront takes as the code of a function
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
const MaxBytes = 10 * 1024

// Reserved is the label that no environment may have: it is the prefix of the
// baseline's frontend in the site bucket.
const Reserved = "default"

const placeholder = "__SETTINGS__"

var (
	//go:embed environment.js
	environmentJS string
	//go:embed viewer-request.js
	requestJS string
	//go:embed viewer-response.js
	responseJS string
)

// Settings are what the functions know of an installation.
type Settings struct {
	BaseDomain string    // environments are one label below it; without a port
	Backends   []Backend // of the catalog
	Frontend   string    // name of the frontend service in the catalog
	Routing    string    // how the paths of the frontend are files; empty is RoutingSPA
}

// How a path of the frontend that is no file is found. The functions know no files,
// only paths, so that the catalog has to say it.
const (
	RoutingSPA    = "spa"    // every route is /index.html
	RoutingStatic = "static" // /about is /about/index.html
	RoutingHTML   = "html"   // /about is /about.html
)

// StatePath is what the viewer-request function answers itself on every
// environment, with what the edge was told of it.
const StatePath = "/_preview"

// Backend is a service behind the load balancer.
type Backend struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths"` // patterns as a listener rule has them, with * and ?
}

// Render returns the code of the viewer-request and of the viewer-response
// function, each at most MaxBytes long.
func Render(s Settings) (request, response string, err error) {
	domain := strings.ToLower(s.BaseDomain)
	if domain == "" || strings.Trim(domain, ".") != domain || strings.Contains(domain, ":") {
		return "", "", fmt.Errorf("render viewer functions: %q is no base domain", s.BaseDomain)
	}
	settings, err := json.Marshal(struct {
		BaseDomain string    `json:"baseDomain"`
		Reserved   string    `json:"reserved"`
		Frontend   string    `json:"frontend"`
		Routing    string    `json:"routing"`
		Backends   []Backend `json:"backends"`
	}{domain, Reserved, s.Frontend, cmp.Or(s.Routing, RoutingSPA), withLists(s.Backends)})
	if err != nil {
		return "", "", fmt.Errorf("render viewer functions: %w", err)
	}
	head := strings.Replace(environmentJS, placeholder, string(settings), 1)
	request, requestErr := function("viewer-request", head+requestJS)
	response, responseErr := function("viewer-response", head+responseJS)
	return request, response, errors.Join(requestErr, responseErr)
}

// function takes the comments out of code, which count in its size, and checks it.
func function(name, code string) (string, error) {
	var b strings.Builder
	for line := range strings.Lines(code) {
		if strings.HasPrefix(strings.TrimSpace(line), "//") {
			continue
		}
		b.WriteString(line)
	}
	if b.Len() > MaxBytes {
		return "", fmt.Errorf("render %s: %d bytes are more than the %d of a CloudFront function; the catalog has too many paths",
			name, b.Len(), MaxBytes)
	}
	return b.String(), nil
}

// withLists has [] in the place of each nil, which would be null in the functions.
func withLists(backends []Backend) []Backend {
	lists := make([]Backend, len(backends))
	for i, b := range backends {
		lists[i] = Backend{Name: b.Name, Paths: append([]string{}, b.Paths...)}
	}
	return lists
}
