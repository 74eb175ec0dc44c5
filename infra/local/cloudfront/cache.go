package cloudfront

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// cacheLimit bounds what is held in memory; a full cache is emptied.
const cacheLimit = 128 << 20

// object is an object of the bucket as it was fetched. It is never changed.
type object struct {
	header   http.Header
	body     []byte
	modified time.Time
	fetched  time.Time
	ttl      time.Duration
	keep     bool // it may be cached
	missing  bool
}

// cache is by the path as the origin knows it, which is CloudFront's cache key
// after the viewer-request function.
type cache struct {
	mu      sync.Mutex
	objects map[string]*object
	size    int
	turn    int // counts the invalidations
}

func newCache() *cache { return &cache{objects: map[string]*object{}} }

// get also tells the turn, for put.
func (c *cache) get(path string) (*object, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.objects[path], c.turn
}

// put keeps an object, unless there was an invalidation since it was asked for.
func (c *cache) put(path string, o *object, turn int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if turn != c.turn {
		return
	}
	c.remove(path)
	if !o.keep {
		return
	}
	if c.size += len(o.body); c.size > cacheLimit {
		clear(c.objects)
		c.size = len(o.body)
	}
	c.objects[path] = o
}

func (c *cache) remove(path string) {
	if known := c.objects[path]; known != nil {
		c.size -= len(known.body)
		delete(c.objects, path)
	}
}

func (c *cache) drop(patterns []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn++
	for _, pattern := range patterns {
		// Only a * at the end is one (docs, Invalidation).
		prefix, all := strings.CutSuffix("/"+strings.TrimPrefix(pattern, "/"), "*")
		for path := range c.objects {
			if path == prefix && !all || all && strings.HasPrefix(path, prefix) {
				c.remove(path)
			}
		}
	}
}
