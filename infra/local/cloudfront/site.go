package cloudfront

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// site is the bucket with the cache before it.
type site struct {
	client               *s3.Client
	bucket               string
	defaultTTL, errorTTL time.Duration
	cache                *cache
}

func newSite(client *s3.Client, bucket string, defaultTTL, errorTTL time.Duration) *site {
	return &site{client: client, bucket: bucket, defaultTTL: defaultTTL, errorTTL: errorTTL, cache: newCache()}
}

func (s *site) invalidate(paths []string) { s.cache.drop(paths) }

// serve answers from the object whose key is the path, as it was rewritten.
func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		// S3's answer for a bucket without a CORS configuration.
		fault(w, http.StatusForbidden, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
		return
	}
	o, how, err := s.object(r.Context(), r.URL.EscapedPath(), strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		fault(w, http.StatusServiceUnavailable, "ServiceUnavailable", err.Error())
		return
	}
	w.Header().Set("X-Cache", how+" from cloudfront")
	if how == "Hit" {
		w.Header().Set("Age", strconv.Itoa(int(time.Since(o.fetched).Seconds())))
	}
	if o.missing {
		fault(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	for name, values := range o.header {
		w.Header()[name] = values
	}
	// It knows If-None-Match, Range and HEAD.
	http.ServeContent(w, r, "", o.modified, bytes.NewReader(o.body))
}

// fault is an error of S3. A missing object is 404, not 403, because the
// distribution may list the bucket.
func fault(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}

// object is from the cache, or from the bucket, or from the cache because the
// bucket has no other: a Hit, a Miss or a RefreshHit.
func (s *site) object(ctx context.Context, path, key string) (*object, string, error) {
	kept, turn := s.cache.get(path)
	if kept != nil && time.Since(kept.fetched) < kept.ttl {
		return kept, "Hit", nil
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key}
	if kept != nil && kept.header.Get("Etag") != "" {
		in.IfNoneMatch = aws.String(kept.header.Get("Etag"))
	}
	now := time.Now()
	out, err := s.client.GetObject(ctx, in)
	var status interface{ HTTPStatusCode() int }
	missing := new(types.NoSuchKey)
	switch {
	case err == nil:
		o, err := s.take(out, now)
		if err == nil {
			s.cache.put(path, o, turn)
		}
		return o, "Miss", err
	case errors.As(err, &missing) || key == "":
		o := &object{missing: true, fetched: now, ttl: s.errorTTL, keep: s.errorTTL > 0}
		s.cache.put(path, o, turn)
		return o, "Error", nil
	case kept != nil && errors.As(err, &status) && status.HTTPStatusCode() == http.StatusNotModified:
		again := *kept
		again.fetched = now
		s.cache.put(path, &again, turn)
		return &again, "RefreshHit", nil
	}
	return nil, "", fmt.Errorf("get object %q: %w", key, err)
}

func (s *site) take(out *s3.GetObjectOutput, now time.Time) (*object, error) {
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	o := &object{header: http.Header{}, body: body, modified: aws.ToTime(out.LastModified), fetched: now}
	for name, value := range map[string]*string{
		"Content-Type": out.ContentType, "Cache-Control": out.CacheControl, "Etag": out.ETag, "X-Amz-Version-Id": out.VersionId,
		"Content-Encoding": out.ContentEncoding, "Content-Language": out.ContentLanguage, "Content-Disposition": out.ContentDisposition,
	} {
		if aws.ToString(value) != "" {
			o.header.Set(name, *value)
		}
	}
	for name, value := range out.Metadata {
		o.header.Set("X-Amz-Meta-"+name, value)
	}
	o.ttl, o.keep = lifetime(aws.ToString(out.CacheControl), s.defaultTTL)
	return o, nil
}

// lifetime is how long an object may be served without a question to its origin,
// and whether it may be kept at all (docs, Expiration, with a minimum TTL of 0).
func lifetime(control string, otherwise time.Duration) (ttl time.Duration, keep bool) {
	ttl = otherwise
	shared := false
	for part := range strings.SplitSeq(strings.ToLower(control), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		seconds, err := strconv.Atoi(strings.Trim(value, `"`))
		switch {
		case name == "no-store" || name == "private":
			return 0, false
		case name == "no-cache":
			return 0, true
		case name == "s-maxage" && err == nil:
			ttl, shared = time.Duration(seconds)*time.Second, true
		case name == "max-age" && err == nil && !shared:
			ttl = time.Duration(seconds) * time.Second
		}
	}
	return ttl, true
}
