package frontend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/kinds/frontend"
)

// BenchmarkUpload uploads a build of 1,000 files and 100 MB. S3 is an HTTP server
// in this process that keeps nothing: an emulator would be what is measured. So
// the figure is that of our code, of the SDK (signing, checksums) and of both ends
// of the loopback; against S3 itself the network is the limit. peak-MB is the
// largest heap in use that was seen, without the zip.
func BenchmarkUpload(b *testing.B) {
	const files, size = 1000, 100 << 20
	chunk := noise(size / files)
	build := []file{{"index.html", []byte("<!doctype html>")}}
	for i := range files - 1 {
		build = append(build, file{fmt.Sprintf("assets/chunk-%04d.js", i), chunk})
	}
	var total int64
	for _, f := range build {
		total += int64(len(f.content))
	}
	// On the disk: beside 100 MB of the benchmark's own the collector would let our
	// heap grow by as much before it ran.
	packed := filepath.Join(b.TempDir(), "web.zip")
	if err := os.WriteFile(packed, archive(b, build...), 0o600); err != nil {
		b.Fatal(err)
	}
	var puts, bytesPut atomic.Int64
	server := httptest.NewServer(bucket(packed, &puts, &bytesPut))
	defer server.Close()
	k := frontend.New(s3Of(server.URL), nil, own)
	spec, err := json.Marshal(frontend.Spec{Artifacts: "artifacts", Key: "web.zip", Site: "site", Prefix: "pr1/abcd1234/"})
	if err != nil {
		b.Fatal(err)
	}
	r := kind.Resource{Environment: "pr1", Name: "web", Spec: spec, Tags: map[string]string{"Environment": "pr1"}}
	peak := awstest.WatchHeap()
	b.SetBytes(total)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Ensure(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(peak(), "peak-MB")
	if puts.Load() != int64(b.N)*files || bytesPut.Load() < int64(b.N)*total {
		b.Fatalf("%d objects of %d bytes arrived in %d rounds", puts.Load(), bytesPut.Load(), b.N)
	}
}

func s3Of(url string) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},

		DisableLogOutputChecksumValidationSkipped: true,
	})
}

// bucket answers what an upload asks of S3 and keeps only counts.
func bucket(packed string, puts, bytesPut *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut:
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			puts.Add(1)
			bytesPut.Add(n)
			w.Header().Set("ETag", `"00000000000000000000000000000000"`)
		case strings.HasSuffix(r.URL.Path, ".zip"):
			w.Header().Set("ETag", `"zip"`)
			http.ServeFile(w, r, packed)
		default:
			_, _ = io.WriteString(w, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)
		}
	})
}
