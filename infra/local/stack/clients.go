package stack

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

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

func definition() string {
	return statemachine.Render(func(name string) string {
		return "arn:aws:lambda:" + region + ":123456789012:function:" + name
	})
}

func newSecrets() seed.Secrets {
	return seed.Secrets{SlackToken: "xoxb-" + secretText(), SlackSigningSecret: secretText(), GitHubToken: "ghp_" + secretText()}
}

func secretText() string { return strings.ToLower(rand.Text()) }
