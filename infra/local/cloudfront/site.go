package cloudfront

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// site is the bucket as an origin, with the cache before it. The rewritten path is
// the cache key.
type site struct {
	client *s3.Client
	bucket string

	mu    sync.Mutex
	cache map[string]object
}

type object struct {
	body   []byte
	header http.Header
}

func newSite(client *s3.Client, bucket string) *site {
	return &site{client: client, bucket: bucket, cache: map[string]object{}}
}

func (s *site) invalidate(paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path := range s.cache {
		for _, p := range paths {
			if prefix, any := strings.CutSuffix(p, "*"); path == p || (any && strings.HasPrefix(path, prefix)) {
				delete(s.cache, path)
			}
		}
	}
}

// serve answers with the object at a rewritten path.
func (s *site) serve(w *recorder, r *http.Request, uri string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.text(http.StatusForbidden, "This distribution takes GET and HEAD here.")
		return
	}
	s.mu.Lock()
	found, cached := s.cache[uri]
	s.mu.Unlock()
	if !cached {
		var status int
		if found, status = s.fetch(r, uri); status != http.StatusOK {
			w.text(status, http.StatusText(status))
			return
		}
	}
	w.header = found.header.Clone()
	if etag := found.header.Get("ETag"); etag != "" && r.Header.Get("If-None-Match") == etag {
		w.status = http.StatusNotModified
		return
	}
	w.status = http.StatusOK
	w.body.Write(found.body)
}

// fetch reads an object, and keeps it unless it is to be asked for every time.
func (s *site) fetch(r *http.Request, uri string) (object, int) {
	key, err := url.PathUnescape(strings.TrimPrefix(uri, "/"))
	if err != nil {
		return object{}, http.StatusBadRequest
	}
	ctx, cancel := withTimeout(r)
	defer cancel()
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return object{}, http.StatusNotFound
	}
	if err != nil {
		return object{}, http.StatusBadGateway
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return object{}, http.StatusBadGateway
	}
	found := object{body: body, header: http.Header{}}
	for name, value := range map[string]*string{
		"Content-Type": out.ContentType, "Cache-Control": out.CacheControl, "ETag": out.ETag,
	} {
		if value != nil {
			found.header.Set(name, aws.ToString(value))
		}
	}
	if strings.Contains(aws.ToString(out.CacheControl), "immutable") {
		s.mu.Lock()
		s.cache[uri] = found
		s.mu.Unlock()
	}
	return found, http.StatusOK
}

func (w *recorder) text(status int, text string) {
	w.status = status
	w.header.Set("Content-Type", "text/plain; charset=utf-8")
	w.body.WriteString(text + "\n")
}

// fits matches a path as a cache behavior does: with case, * is any number of
// characters and ? is exactly one.
func fits(pattern, path string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(path) + 1 {
				if fits(pattern[1:], path[i:]) {
					return true
				}
			}
			return false
		case '?':
			if path == "" {
				return false
			}
		default:
			if path == "" || path[0] != pattern[0] {
				return false
			}
		}
		pattern, path = pattern[1:], path[1:]
	}
	return path == ""
}
