package catalog

import (
	"context"
	"sync"
	"time"
)

// keep is how long a warm function goes without reading the catalog again: a
// deployment of a new one shows within it. SSM answers 40 calls a second to a whole
// account (docs.aws.amazon.com/general/latest/gr/ssm.html), which twenty requests
// at once would use up.
const keep = 30 * time.Second

// Cache reads the catalog through a Reader and keeps what it read for 30 s.
type Cache struct {
	Reader Reader
	Now    func() time.Time

	mu       sync.Mutex
	settings *Settings
	services map[string]Service
	until    time.Time
}

// NewCache is a cache by the machine's clock.
func NewCache(r Reader) *Cache { return &Cache{Reader: r, Now: time.Now} }

// Settings reads the settings of the installation. They are shared: nobody may
// change them.
func (c *Cache) Settings(ctx context.Context) (*Settings, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	if c.settings == nil {
		settings, err := c.Reader.Settings(ctx)
		if err != nil {
			return nil, err
		}
		c.settings = settings
	}
	return c.settings, nil
}

// Services reads services by name; one that is not in the catalog is an error.
func (c *Cache) Services(ctx context.Context, names ...string) (map[string]Service, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	var missing []string
	for _, name := range names {
		if _, ok := c.services[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		read, err := c.Reader.Services(ctx, missing...)
		if err != nil {
			return nil, err
		}
		for name, service := range read {
			c.services[name] = service
		}
	}
	asked := make(map[string]Service, len(names))
	for _, name := range names {
		asked[name] = c.services[name]
	}
	return asked, nil
}

func (c *Cache) expire() {
	if now := c.Now(); c.services == nil || now.After(c.until) {
		c.settings, c.services, c.until = nil, map[string]Service{}, now.Add(keep)
	}
}
