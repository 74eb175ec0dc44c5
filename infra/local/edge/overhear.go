package edge

import "net/http"

// Overhear tells f of each call before it is served, with its body but for that of
// S3, which f may read if it puts it back. f runs in the way of the call.
func (e *Edge) Overhear(f func(c Call, r *http.Request, body []byte)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.overhears = append(e.overhears, f)
}

func (e *Edge) overhear(c Call, r *http.Request, body []byte) {
	e.mu.RLock()
	overhears := e.overhears
	e.mu.RUnlock()
	for _, f := range overhears {
		f(c, r, body)
	}
}
