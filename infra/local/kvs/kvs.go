// Package kvs is a CloudFront KeyValueStore: one store, in memory, with the data
// API that functions write through and a plain read for what plays the edge. It
// knows nothing of what the values mean.
package kvs

import (
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"

	"previewenv/infra/local/manner"
)

// Limits of one store
// (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html).
const (
	maxKey         = 512     // bytes
	maxValue       = 1 << 10 // bytes
	maxStore       = 5 << 20 // bytes, keys and values
	maxUpdateKeys  = 50      // in one UpdateKeys
	maxUpdateBytes = 3 << 20 // in one UpdateKeys
)

// Store holds the pairs. Every ARN names it: the local stack has one.
type Store struct {
	mu       sync.RWMutex
	pairs    map[string]string
	size     int
	version  int
	created  time.Time
	modified time.Time

	manners *manner.Manners
	past    map[string]*past // of each key; see Edge
}

// New returns an empty store.
func New() *Store {
	now := time.Now()
	return &Store{pairs: map[string]string{}, version: 1, created: now, modified: now, past: map[string]*past{}}
}

// Get returns the value of key, and whether there is one.
func (s *Store) Get(key string) (string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	value, ok := s.pairs[key]
	return value, ok
}

// Len is the number of pairs.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.pairs)
}

// pair is a key with its value as the API spells it.
type pair struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// totals is what every change is answered with.
type totals struct {
	ItemCount        int `json:"ItemCount"`
	TotalSizeInBytes int `json:"TotalSizeInBytes"`
}

// fault is an error that the API answers with.
type fault struct {
	status  int
	name    string
	message string
}

func (f *fault) Error() string { return f.name + ": " + f.message }

func invalid(format string, args ...any) *fault {
	return &fault{400, "ValidationException", fmt.Sprintf(format, args...)}
}

func notFound(key string) *fault {
	return &fault{404, "ResourceNotFoundException", fmt.Sprintf("key %q does not exist", key)}
}

// etag is the version of the whole store: any change makes every older one stale.
func (s *Store) etag() string { return "KV" + strconv.Itoa(s.version) }

func (s *Store) totals() totals { return totals{len(s.pairs), s.size} }

// update makes all changes or none, if ifMatch is the store's ETag.
func (s *Store) update(ifMatch string, puts []pair, deletes []string) (totals, string, *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ifMatch == "" {
		return totals{}, "", invalid("If-Match is missing")
	}
	if ifMatch != s.etag() {
		return totals{}, "", &fault{409, "ConflictException", "the store has changed since " + ifMatch}
	}
	size, f := s.sizeAfter(puts, deletes)
	if f != nil {
		return totals{}, "", f
	}
	for _, key := range deletes {
		delete(s.pairs, key)
		s.remember(key, "", false)
	}
	for _, p := range puts {
		s.pairs[p.Key] = p.Value
		s.remember(p.Key, p.Value, true)
	}
	s.size = size
	s.version++
	s.modified = time.Now()
	return s.totals(), s.etag(), nil
}

func (s *Store) sizeAfter(puts []pair, deletes []string) (int, *fault) {
	if n := len(puts) + len(deletes); n > maxUpdateKeys {
		return 0, invalid("%d keys in one update, at most %d", n, maxUpdateKeys)
	}
	size, sent := s.size, 0
	touched := map[string]bool{}
	for _, key := range deletes {
		old, ok := s.pairs[key]
		if !ok {
			return 0, notFound(key)
		}
		if touched[key] {
			return 0, invalid("key %q is in the update twice", key)
		}
		touched[key] = true
		size -= len(key) + len(old)
		sent += len(key)
	}
	for _, p := range puts {
		if f := p.check(); f != nil {
			return 0, f
		}
		if touched[p.Key] {
			return 0, invalid("key %q is in the update twice", p.Key)
		}
		touched[p.Key] = true
		if old, ok := s.pairs[p.Key]; ok {
			size -= len(p.Key) + len(old)
		}
		size += len(p.Key) + len(p.Value)
		sent += len(p.Key) + len(p.Value)
	}
	if sent > maxUpdateBytes {
		return 0, invalid("%d bytes in one update, at most %d", sent, maxUpdateBytes)
	}
	if size > maxStore {
		return 0, &fault{402, "ServiceQuotaExceededException", fmt.Sprintf("the store would hold %d bytes, at most %d", size, maxStore)}
	}
	return size, nil
}

func (p pair) check() *fault {
	switch {
	case p.Key == "" || len(p.Key) > maxKey:
		return invalid("a key has 1 to %d bytes, not %d", maxKey, len(p.Key))
	case len(p.Value) > maxValue:
		return invalid("the value of %q has %d bytes, at most %d", p.Key, len(p.Value), maxValue)
	}
	return nil
}

// page returns up to limit pairs after the key that token names, sorted by key.
func (s *Store) page(token string, limit int) ([]pair, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	keys := make([]string, 0, len(s.pairs))
	for key := range s.pairs {
		if key > token {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	next := ""
	if len(keys) > limit {
		keys = keys[:limit]
		next = keys[limit-1]
	}
	items := make([]pair, len(keys))
	for i, key := range keys {
		items[i] = pair{key, s.pairs[key]}
	}
	return items, next
}
