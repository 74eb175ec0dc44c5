// Package awstest lets a test use the real AWS SDK against an API emulator: one
// moto server a test binary, emptied before each test, with every call recorded
// and any call open to an injected fault. It holds seeds of what a baseline has.
// It knows nothing of kinds, and nothing but tests may import it.
//
// moto allows what AWS forbids, so a test asserts only what AWS does too.
package awstest

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Region and Account are those of every client and ARN in a test.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

// Config empties the emulator and returns a configuration whose clients speak to
// it. Tests that use it share one server, so they may not run in parallel.
func Config(t testing.TB) aws.Config {
	t.Helper()
	url := server(t)
	response, err := http.Post(url+"/moto-api/reset", "", nil)
	if err != nil {
		t.Fatalf("reset moto: %v", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("reset moto: %s", response.Status)
	}
	cfg := aws.Config{
		Region:       Region,
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String(url),
		// moto closes each connection; a client that hopes to use it again may lose
		// the answer that it is reading.
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	recorderOf(t).attach(&cfg)
	quiet(t)
	return cfg
}

// Quiet is cfg for what a test makes or looks at by itself: its calls are not
// recorded, and neither faults nor pages apply to them.
func Quiet(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	cfg.APIOptions = nil
	return cfg
}

// quiet sends what is logged to the test that caused it, which shows it on failure.
func quiet(t testing.TB) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(t.Output(), nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
}
