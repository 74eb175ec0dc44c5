package cloudfront_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"previewenv/infra/edge"
	"previewenv/infra/local/cloudfront"
	"previewenv/infra/local/moto"
)

var emulator *moto.Server

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	python, err := filepath.Abs("../../../.local/venv/bin")
	if err != nil {
		panic(err)
	}
	if emulator, err = moto.Start(context.Background(), moto.Options{Python: python}); err != nil {
		panic(err)
	}
	defer func() { _ = emulator.Close() }()
	return m.Run()
}

// world is a distribution over a bucket, a store and an origin of the test.
type world struct {
	t            *testing.T
	distribution *cloudfront.Distribution
	s3           *s3.Client
	bucket       string
	mu           sync.Mutex
	store        map[string]string
	origin       http.HandlerFunc
}

func newWorld(t *testing.T, change func(*cloudfront.Options)) *world {
	t.Helper()
	endpoint := emulator.URL.String()
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("x", "x", "")}
	w := &world{
		t: t, bucket: fmt.Sprintf("site-%d", time.Now().UnixNano()), store: map[string]string{},
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &w.bucket}); err != nil {
		t.Fatal(err)
	}
	request, response, err := edge.Render(edge.Settings{
		BaseDomain: "preview.example.com", Frontend: "web", Backends: []edge.Backend{{Name: "service1", Paths: []string{"/service1", "/service1/*"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := cloudfront.Options{
		BaseDomain: "preview.example.com", Request: request, Response: response,
		Store: func(key string) (string, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			value, ok := w.store[key]
			return value, ok
		},
		Origin:   http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.origin(rw, r) }),
		Backends: []string{"/service1", "/service1/*"}, Config: cfg, Bucket: w.bucket,
	}
	if change != nil {
		change(&o)
	}
	if w.distribution, err = cloudfront.New(o); err != nil {
		t.Fatal(err)
	}
	w.store["pr1"] = `{"state":"live","commit":"abcd1234","frontend":"pr1/abcd1234","overrides":["service1"]}`
	w.store["pr2"] = `{"state":"live","commit":"ffff0000","overrides":[]}`
	w.store["pr3"] = `{"state":"starting","commit":"abcd1234"}`
	return w
}

func (w *world) upload(key, control, body string) {
	w.t.Helper()
	in := &s3.PutObjectInput{Bucket: &w.bucket, Key: &key, Body: strings.NewReader(body), ContentType: aws.String("text/html")}
	if control != "" {
		in.CacheControl = &control
	}
	if _, err := w.s3.PutObject(w.t.Context(), in); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) do(method, url string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	w.distribution.ServeHTTP(recorder, r)
	return recorder
}

func (w *world) want(url string, status int, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	got := w.do(http.MethodGet, url)
	if got.Code != status || !strings.Contains(got.Body.String(), body) {
		w.t.Errorf("GET %s: %d %s", url, got.Code, got.Body)
	}
	return got
}

func (w *world) wantHeader(got *httptest.ResponseRecorder, name, value string) {
	w.t.Helper()
	if have := got.Header().Get(name); have != value {
		w.t.Errorf("%s: %q, not %q", name, have, value)
	}
}

func TestHostsChooseTheBuild(t *testing.T) {
	w := newWorld(t, nil)
	w.upload("pr1/abcd1234/index.html", "no-cache", "build of pr1")
	w.upload("default/index.html", "no-cache", "baseline")
	w.upload("pr1/abcd1234/a b.js", "", "spaced")
	w.upload("pr1/abcd1234/a%20b.js", "", "decoded twice would be wrong")

	got := w.want("http://pr1.preview.example.com:8080/", 200, "build of pr1")
	w.wantHeader(got, "X-Preview-Commit", "abcd1234")
	w.wantHeader(got, "X-Preview-Source", "override")
	w.wantHeader(got, "Content-Type", "text/html")
	w.wantHeader(w.want("http://PR1.preview.example.com/deep/route", 200, "build of pr1"), "X-Preview-Environment", "pr1")
	w.wantHeader(w.want("http://pr2.preview.example.com/", 200, "baseline"), "X-Preview-Source", "fallback")
	w.want("http://pr1.preview.example.com/a%20b.js", 200, "spaced")
	w.want("http://pr1.preview.example.com/a%2520b.js", 200, "decoded twice")
	w.want("http://pr3.preview.example.com/", 503, "is starting")
	w.want("http://pr9.preview.example.com/service1", 503, "is not known here")
	missing := w.want("http://pr1.preview.example.com/none.js", 404, "NoSuchKey")
	w.wantHeader(missing, "X-Preview-Environment", "")
	for _, host := range []string{"preview.example.com", "example.com", "pr1.preview.example.com.evil.com", "xpreview.example.com"} {
		w.want("http://"+host+"/", 403, "Bad request.")
	}
	if got := w.do(http.MethodPost, "http://pr1.preview.example.com/"); got.Code != 403 {
		t.Errorf("POST to the site: %d", got.Code)
	}
	if got := w.do(http.MethodHead, "http://pr1.preview.example.com/"); got.Code != 200 || got.Body.Len() != 0 {
		t.Errorf("HEAD: %d %q", got.Code, got.Body)
	}
}

func TestBackendPathsGoToTheOrigin(t *testing.T) {
	w := newWorld(t, nil)
	w.origin = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Add("Set-Cookie", "a=1; Path=/; HttpOnly")
		rw.Header().Add("Set-Cookie", "b=2")
		rw.Header().Set("X-Preview-Source", "a lie")
		if r.URL.Query().Get("fail") != "" {
			rw.WriteHeader(http.StatusTeapot)
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(rw, "%s %s %s cookie=%s for=%s %s", r.Method, r.Host, r.URL.RequestURI(), r.Header.Get("Cookie"), r.Header.Get("X-Forwarded-For"), body)
	}
	r := httptest.NewRequest(http.MethodPost, "http://pr1.preview.example.com:8080/service1/a%2Fb?q=%20x&q=y", strings.NewReader("hello"))
	r.Header.Set("Cookie", "s=1; t=2")
	got := httptest.NewRecorder()
	w.distribution.ServeHTTP(got, r)
	want := "POST pr1.preview.example.com:8080 /service1/a%2Fb?q=%20x&q=y cookie=s=1; t=2 for=192.0.2.1 hello"
	if got.Body.String() != want {
		t.Errorf("the origin saw %q, not %q", got.Body, want)
	}
	if cookies := got.Result().Header["Set-Cookie"]; len(cookies) != 2 || cookies[0] != "a=1; Path=/; HttpOnly" {
		t.Errorf("cookies: %q", cookies)
	}
	w.wantHeader(got, "X-Preview-Source", "override")

	failed := w.want("http://pr1.preview.example.com/service1?fail=1", 418, "")
	w.wantHeader(failed, "X-Preview-Source", "a lie") // the function does not see errors
	w.want("http://pr1.preview.example.com/x/../service1", 400, "not valid")
}

func TestCacheControlDecidesWhatIsKept(t *testing.T) {
	w := newWorld(t, nil)
	const index, asset = "http://pr1.preview.example.com/", "http://pr1.preview.example.com/app.js"
	w.upload("pr1/abcd1234/index.html", "no-cache", "one")
	w.upload("pr1/abcd1234/app.js", "public, max-age=31536000, immutable", "one")
	w.wantHeader(w.want(index, 200, "one"), "X-Cache", "Miss from cloudfront")
	w.wantHeader(w.want(index, 200, "one"), "X-Cache", "RefreshHit from cloudfront")
	first := w.want(asset, 200, "one")
	w.wantHeader(w.want(asset, 200, "one"), "X-Cache", "Hit from cloudfront")

	w.upload("pr1/abcd1234/index.html", "no-cache", "two")
	w.upload("pr1/abcd1234/app.js", "public, max-age=31536000, immutable", "two")
	w.want(index, 200, "two")
	w.want(asset, 200, "one")
	if got := w.do(http.MethodGet, asset, "If-None-Match", first.Header().Get("Etag")); got.Code != 304 || got.Body.Len() != 0 {
		t.Errorf("If-None-Match: %d %q", got.Code, got.Body)
	}
	w.distribution.Invalidate("/pr2/*", "/pr1/abcd1234/app")
	w.want(asset, 200, "one")
	w.distribution.Invalidate("/pr1/*")
	w.want(asset, 200, "two")
}

func TestAMissingObjectStaysMissingForTheErrorTTL(t *testing.T) {
	w := newWorld(t, func(o *cloudfront.Options) { o.ErrorTTL = time.Hour })
	w.want("http://pr1.preview.example.com/late.js", 404, "")
	w.upload("pr1/abcd1234/late.js", "", "late")
	w.want("http://pr1.preview.example.com/late.js", 404, "")
	w.distribution.Invalidate("/pr1/abcd1234/late.js")
	w.want("http://pr1.preview.example.com/late.js", 200, "late")
}

func TestAFunctionThatFailsIsA503(t *testing.T) {
	for name, source := range map[string]string{
		"throws":          "function handler(event) { throw new Error('no'); }",
		"rejects":         "async function handler(event) { await cf.kvs().get('none'); }",
		"never ends":      "function handler(event) { for (;;) {} }",
		"waits for ever":  "async function handler(event) { await new Promise(function () {}); }",
		"returns nothing": "function handler(event) {}",
		"makes no path":   "function handler(event) { event.request.uri = 'x'; return event.request; }",
		"makes no status": "function handler(event) { return {statusCode: 99}; }",
	} {
		t.Run(name, func(t *testing.T) {
			d, err := cloudfront.New(cloudfront.Options{
				BaseDomain: "localhost", Request: "import cf from 'cloudfront';\n" + source, Response: "function handler(event) { return event.response; }",
				Store: func(string) (string, bool) { return "", false },
			})
			if err != nil {
				t.Fatal(err)
			}
			got := httptest.NewRecorder()
			d.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "http://pr1.localhost/", nil))
			if got.Code != 503 {
				t.Errorf("status %d", got.Code)
			}
		})
	}
}

func TestFunctionsMayChangeHeadersQueriesAndCookies(t *testing.T) {
	var seen *http.Request
	d, err := cloudfront.New(cloudfront.Options{
		BaseDomain: "localhost", Backends: []string{"*"},
		Origin: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r }),
		Store:  func(string) (string, bool) { return `{"a":"b"}`, true },
		Request: `import cf from 'cloudfront';
async function handler(event) {
    const r = event.request;
    r.headers['x-new'] = { value: (await cf.kvs().get('k', { format: 'json' })).a + r.headers['x-many'].multiValue.length };
    delete r.headers['x-old'];
    r.querystring.n = { value: r.querystring.q.value + event.viewer.ip };
    r.cookies.c = { value: '1' };
    return r;
}`,
		Response: `function handler(event) { const r = event.response; r.statusCode = 203; r.cookies.s = { value: 'v', attributes: 'Secure' }; r.body = 'own'; return r; }`,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "http://pr1.localhost/?q=1", nil)
	r.Header = http.Header{"X-Old": {"x"}, "X-Many": {"1", "2"}}
	got := httptest.NewRecorder()
	d.ServeHTTP(got, r)
	if h := seen.Header; h.Get("X-New") != "b2" || h.Get("X-Old") != "" || len(h["X-Many"]) != 2 || h.Get("Cookie") != "c=1" {
		t.Errorf("the origin's headers: %v", h)
	}
	if q := seen.URL.RawQuery; q != "n=1192.0.2.1&q=1" {
		t.Errorf("the origin's query: %s", q)
	}
	if got.Code != 203 || got.Body.String() != "own" || got.Header().Get("Set-Cookie") != "s=v; Secure" {
		t.Errorf("answer: %d %q %v", got.Code, got.Body, got.Header())
	}
}
