package frontend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/guard"
	"previewenv/lambdas/internal/kind"
	"previewenv/lambdas/internal/kind/kindtest"
	"previewenv/lambdas/kinds/frontend"
	"previewenv/statemachine"
)

var own = guard.Guard{Prefix: "preview", BaseDomain: "preview.example.com"}

// site is a small build, with a page, an asset and a file that no worker holds.
var site = []file{
	{"index.html", []byte("<!doctype html>")},
	{"assets/app-BqT3x9aZ.js", []byte("console.log(1)")},
	{"assets/data.bin", noise(3<<20 + 17)},
	{"empty.txt", nil},
}

func TestKind(t *testing.T) {
	kindtest.Run(t, kindtest.Case{
		Info:   frontend.Info(),
		Prefix: own.Prefix,
		New:    func(cfg aws.Config) kind.Kind { return frontend.FromConfig(cfg, own) },
		Seed:   func(t testing.TB, cfg aws.Config) kind.Resource { return seed(t, cfg, archive(t, site...)) },
		Made:   made,
		Bounds: func(r kind.Resource) kind.Bounds {
			spec, err := kind.Decode[frontend.Spec](r)
			if err != nil {
				t.Fatal(err)
			}
			return kind.Bounds{Site: spec.Site, Distribution: spec.Distribution}
		},
		Retag: retag,
		Crowd: func(t testing.TB, cfg aws.Config, _ kind.Resource) {
			for _, key := range []string{"default/index.html", "pr1/abcd1235/index.html", "pr10/abcd1234/index.html"} {
				put(t, cfg, "preview-site", key, nil)
			}
		},
		Invalid: map[string]json.RawMessage{
			"the prefix of another environment": json.RawMessage(`{"site": "preview-site", "prefix": "pr2/abcd1234/"}`),
			"the whole environment":             json.RawMessage(`{"site": "preview-site", "prefix": "pr1/"}`),
			"the baseline's frontend":           json.RawMessage(`{"site": "preview-site", "prefix": "default/"}`),
			"no prefix":                         json.RawMessage(`{"site": "preview-site", "prefix": ""}`),
			"a prefix that climbs":              json.RawMessage(`{"site": "preview-site", "prefix": "pr1/../default/"}`),
		},
	})
}

func TestEnsureUploadsTheBuild(t *testing.T) {
	cfg := awstest.Config(t)
	r := seed(t, awstest.Quiet(cfg), archive(t, site...))
	spool := t.TempDir()
	t.Setenv("TMPDIR", spool)
	client := &recording{Client: s3.NewFromConfig(cfg)}
	k := frontend.New(client, cloudfront.NewFromConfig(cfg), own)
	if _, err := k.Ensure(t.Context(), r); err != nil {
		t.Fatal(err)
	}

	t.Run("the content is that of the archive, with the headers of the web", func(t *testing.T) {
		want := map[string][2]string{
			"index.html":             {"text/html; charset=utf-8", "no-cache"},
			"assets/app-BqT3x9aZ.js": {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
			"assets/data.bin":        {"application/octet-stream", "no-cache"},
			"empty.txt":              {"text/plain; charset=utf-8", "no-cache"},
		}
		for _, f := range site {
			content, headers := get(t, awstest.Quiet(cfg), "pr1/abcd1234/"+f.name)
			if !bytes.Equal(content, f.content) {
				t.Errorf("%s has %d bytes that are not those of the archive", f.name, len(content))
			}
			if headers != want[f.name] {
				t.Errorf("%s has the headers %q, want %q", f.name, headers, want[f.name])
			}
		}
	})
	t.Run("the page comes last", func(t *testing.T) {
		if last := client.put[len(client.put)-1]; last != "pr1/abcd1234/index.html" {
			t.Errorf("uploaded last: %s", last)
		}
	})
	t.Run("nothing stays on the disk", func(t *testing.T) {
		left, err := os.ReadDir(spool)
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	t.Run("a second time uploads nothing", func(t *testing.T) {
		client.put = nil
		if _, err := k.Ensure(t.Context(), r); err != nil || len(client.put) > 0 {
			t.Errorf("uploaded %v, %v", client.put, err)
		}
	})
	t.Run("a file with other content is uploaded again", func(t *testing.T) {
		put(t, awstest.Quiet(cfg), "preview-site", "pr1/abcd1234/index.html", []byte("<!doctype HTML>"))
		client.put = nil
		if _, err := k.Ensure(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"pr1/abcd1234/index.html"}, client.put); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEnsureRefusesWhatIsNoBuild(t *testing.T) {
	truncated := archive(t, site...)
	flipped := bytes.Clone(truncated)
	flipped[len(flipped)/2] ^= 0xff
	tests := map[string]struct {
		archive []byte
		says    string
	}{
		"no archive":                 {nil, "left no archive"},
		"an empty object":            {[]byte{}, "damaged"},
		"no zip":                     {[]byte("not found"), "damaged"},
		"half a zip":                 {truncated[:len(truncated)/2], "damaged"},
		"a zip with a wrong byte":    {flipped, "damaged"},
		"an empty zip":               {archive(t), "produced nothing"},
		"folders alone":              {archive(t, file{"assets/", nil}), "produced nothing"},
		"no page":                    {archive(t, file{"app.js", nil}), "no index.html"},
		"a page in a folder":         {archive(t, file{"dist/index.html", nil}), "no index.html"},
		"a name that climbs":         {archive(t, file{"index.html", nil}, file{"../default/index.html", nil}), "no plain file"},
		"a name that climbs later":   {archive(t, file{"index.html", nil}, file{"a/../../b.js", nil}), "no plain file"},
		"an absolute name":           {archive(t, file{"index.html", nil}, file{"/etc/passwd", nil}), "no plain file"},
		"a name with backslashes":    {archive(t, file{"index.html", nil}, file{`..\x.js`, nil}), "no plain file"},
		"a name that is there twice": {archive(t, file{"index.html", nil}, file{"index.html", nil}), "there twice"},
		"a symbolic link":            {link(t), "no plain file"},
		"a bomb that says so":        {bomb(t, 3<<30), "more than"},
		"a bomb that lies":           {bomb(t, 1), "damaged"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := awstest.Config(t)
			r := seed(t, awstest.Quiet(cfg), test.archive)
			_, err := frontend.FromConfig(cfg, own).Ensure(t.Context(), r)
			f := fault.As(err)
			if f == nil || f.Name != statemachine.ErrBuildFailed || f.Next == "" || !strings.Contains(f.What, test.says) {
				t.Errorf("error %v is no BuildFailed that says %q", err, test.says)
			}
			if _, ok := made(t, awstest.Quiet(cfg), r)["pr1/abcd1234/index.html"]; ok {
				t.Error("a page was published")
			}
		})
	}
}

func TestEnsureReportsWhatS3Refuses(t *testing.T) {
	for _, operation := range []string{"s3:HeadObject", "s3:GetObject", "s3:ListObjectsV2", "s3:PutObject"} {
		t.Run(operation, func(t *testing.T) {
			cfg := awstest.Config(t)
			r := seed(t, awstest.Quiet(cfg), archive(t, site...))
			broken := errors.New("broken")
			// As often as one block is asked for.
			awstest.Fail(t, operation, broken, broken, broken)
			if _, err := frontend.FromConfig(cfg, own).Ensure(t.Context(), r); !errors.Is(err, broken) || fault.As(err) != nil {
				t.Errorf("Ensure = %v, want the error of S3 and no fault of the build's", err)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	start := func(t *testing.T) (aws.Config, *frontend.Kind, kind.Resource, *recording) {
		cfg := awstest.Config(t)
		r := seed(t, awstest.Quiet(cfg), archive(t, site...))
		client := &recording{Client: s3.NewFromConfig(cfg)}
		k := frontend.New(client, cloudfront.NewFromConfig(cfg), own)
		if _, err := k.Ensure(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		awstest.Forget(t)
		return cfg, k, r, client
	}
	count := func(t *testing.T, operation string) (n int) {
		for _, call := range awstest.Calls(t) {
			if call == operation {
				n++
			}
		}
		return n
	}
	t.Run("the edge is asked once, and only if there was something", func(t *testing.T) {
		cfg, k, r, _ := start(t)
		for range 2 {
			if err := k.Remove(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, "cloudfront:CreateInvalidation"); n != 1 {
			t.Errorf("%d invalidations", n)
		}
		if diff := cmp.Diff([]string{"/pr1/abcd1234/*"}, invalidated(t, awstest.Quiet(cfg), r)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a retry after a failed invalidation makes it", func(t *testing.T) {
		_, k, r, _ := start(t)
		awstest.Fail(t, "cloudfront:CreateInvalidation", &cloudfronttypes.TooManyInvalidationsInProgress{})
		if err := k.Remove(t.Context(), r); !fault.Is(err, statemachine.ErrThrottled) {
			t.Fatalf("Remove = %v, want Throttled", err)
		}
		if present, err := k.Verify(t.Context(), r); err != nil || !present {
			t.Fatalf("Verify = %v, %v: nobody would come back", present, err)
		}
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if n := count(t, "cloudfront:CreateInvalidation"); n != 2 {
			t.Errorf("%d invalidations were tried", n)
		}
	})
	t.Run("an object that S3 kept is an error", func(t *testing.T) {
		_, k, r, client := start(t)
		client.refuse = "pr1/abcd1234/empty.txt"
		if err := k.Remove(t.Context(), r); err == nil || !strings.Contains(err.Error(), client.refuse) {
			t.Errorf("Remove = %v, want the key that is left", err)
		}
	})
	t.Run("more than a call takes goes in several", func(t *testing.T) {
		cfg, k, r, client := start(t)
		for i := range 1003 {
			put(t, awstest.Quiet(cfg), "preview-site", fmt.Sprintf("pr1/abcd1234/more/%d.txt", i), nil)
		}
		if err := k.Remove(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if left := made(t, awstest.Quiet(cfg), r); len(left) > 0 || slices.Max(client.deleted) > 1000 {
			t.Errorf("%d left, batches of %v", len(left), client.deleted)
		}
	})
	t.Run("a bucket that is gone holds nothing", func(t *testing.T) {
		_, k, r, _ := start(t)
		r.Spec = json.RawMessage(strings.Replace(string(r.Spec), "preview-site", "preview-elsewhere", 1))
		if err := k.Remove(t.Context(), r); err != nil {
			t.Error(err)
		}
		if present, err := k.Verify(t.Context(), r); err != nil || present {
			t.Errorf("Verify = %v, %v", present, err)
		}
	})
}

// recording is S3 that remembers what it was asked, and keeps one key for good.
type recording struct {
	*s3.Client
	mu      sync.Mutex
	put     []string
	deleted []int
	refuse  string
}

func (c *recording) PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	out, err := c.Client.PutObject(ctx, in, opts...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put = append(c.put, *in.Key)
	return out, err
}

func (c *recording) DeleteObjects(ctx context.Context, in *s3.DeleteObjectsInput, opts ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	c.deleted = append(c.deleted, len(in.Delete.Objects))
	for _, o := range in.Delete.Objects {
		if *o.Key == c.refuse {
			return &s3.DeleteObjectsOutput{Errors: []types.Error{{Key: o.Key, Code: aws.String("InternalError")}}}, nil
		}
	}
	return c.Client.DeleteObjects(ctx, in, opts...)
}
