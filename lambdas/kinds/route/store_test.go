package route_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const storeARN = "arn:aws:cloudfront::123456789012:key-value-store/12345678-1234-1234-1234-123456789012"

// store is a KeyValueStore as its REST API shows it: one ETag for the whole store,
// a write only to whoever knows it.
type store struct {
	url string

	mu        sync.Mutex
	values    map[string]string
	version   int
	writes    int
	conflicts int // how many writes still to refuse, whatever their ETag
	hosts     map[string]bool
	signers   map[string]bool
}

func newStore(t testing.TB) *store {
	t.Helper()
	s := &store{values: map[string]string{}, hosts: map[string]bool{}, signers: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// config is cfg for clients of the store. The SDK puts the account before the
// host of the endpoint, which nobody resolves; a proxy has not to.
func (s *store) config(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	proxy, _ := url.Parse(s.url)
	cfg.BaseEndpoint = &s.url
	cfg.HTTPClient = &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), MaxIdleConnsPerHost: 32}}
	return cfg
}

func plain() aws.Config {
	return aws.Config{Region: "us-east-1", RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts[r.Host] = true
	algorithm, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.signers[algorithm] = true
	// /key-value-stores/{KvsARN} or /key-value-stores/{KvsARN}/keys/{Key}; the ARN holds an escaped slash.
	parts := strings.Split(r.URL.EscapedPath(), "/")
	for i := range parts {
		parts[i], _ = url.PathUnescape(parts[i])
	}
	if len(parts) < 3 || parts[1] != "key-value-stores" || parts[2] != storeARN {
		refuse(w, http.StatusNotFound, "ResourceNotFoundException")
		return
	}
	key := parts[len(parts)-1]
	switch {
	case r.Method == http.MethodGet && len(parts) == 3:
		w.Header().Set("ETag", s.etag())
		answer(w, map[string]any{"KvsARN": storeARN, "ItemCount": len(s.values), "TotalSizeInBytes": 0, "Created": 1})
	case r.Method == http.MethodGet && key == "keys" && len(parts) == 4:
		items := []map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(s.values)) {
			items = append(items, map[string]string{"Key": key, "Value": s.values[key]})
		}
		answer(w, map[string]any{"Items": items})
	case r.Method == http.MethodGet:
		value, ok := s.values[key]
		if !ok {
			refuse(w, http.StatusNotFound, "ResourceNotFoundException")
			return
		}
		answer(w, map[string]any{"Key": key, "Value": value, "ItemCount": len(s.values), "TotalSizeInBytes": 0})
	default:
		s.write(w, r, key)
	}
}

func (s *store) write(w http.ResponseWriter, r *http.Request, key string) {
	if s.conflicts > 0 || r.Header.Get("If-Match") != s.etag() {
		s.conflicts--
		refuse(w, http.StatusConflict, "ConflictException")
		return
	}
	switch r.Method {
	case http.MethodPut:
		var body struct{ Value string }
		if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Value) > 1024 {
			refuse(w, http.StatusBadRequest, "ValidationException")
			return
		}
		s.values[key] = body.Value
	case http.MethodDelete:
		if _, ok := s.values[key]; !ok {
			refuse(w, http.StatusNotFound, "ResourceNotFoundException")
			return
		}
		delete(s.values, key)
	}
	s.version++
	s.writes++
	w.Header().Set("ETag", s.etag())
	answer(w, map[string]any{"ItemCount": len(s.values), "TotalSizeInBytes": 0})
}

func (s *store) etag() string { return fmt.Sprintf("ETAG%d", s.version) }

// reset empties the store.
func (s *store) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values, s.writes, s.conflicts = map[string]string{}, 0, 0
	s.version++
}

func (s *store) all() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, name string) {
	w.Header().Set("X-Amzn-ErrorType", name)
	w.WriteHeader(status)
	answer(w, map[string]string{"Message": name})
}
