package stack

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"previewenv/infra/local/seed"
	"previewenv/statemachine"
)

// clientConfig is that of an SDK client whose calls the edge knows by name.
func clientConfig(endpoint, name string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(name, "local", ""),
	}
}

// proxied sends what is not for loopback by its number through the edge, which
// serves *.localhost whatever the machine's resolver knows of it.
func proxied(edge string) *http.Client {
	proxy, _ := url.Parse(edge) // made from a port
	transport := &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if strings.HasSuffix(r.URL.Hostname(), "."+domain) {
				return proxy, nil
			}
			return nil, nil
		},
		MaxIdleConnsPerHost: 32,
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// definition is the state machine's. Where builds are bounded, so is the wait for
// them, with room for a build that waits for the processor.
func (s *Stack) definition() string {
	rendered := statemachine.Render(func(name string) string {
		return "arn:aws:lambda:" + region + ":123456789012:function:" + name
	})
	if limit := s.options.BuildTimeout; limit > 0 {
		return buildLimit.ReplaceAllString(rendered, "${1}"+strconv.Itoa(int((2*limit+5*time.Second).Seconds())))
	}
	return rendered
}

// buildLimit finds the time limit of the states that wait for a build.
var buildLimit = regexp.MustCompile(`("TimeoutSeconds": )7200\b`)

func newSecrets() seed.Secrets {
	return seed.Secrets{SlackToken: "xoxb-" + secretText(), SlackSigningSecret: secretText(), GitHubToken: "ghp_" + secretText()}
}

func secretText() string { return strings.ToLower(rand.Text()) }
