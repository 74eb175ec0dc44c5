package awstest

import (
	"runtime"
	"time"
)

// WatchHeap samples the heap until the returned function is called, which tells the
// peak in MB above where it began.
func WatchHeap() (peak func() float64) {
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	start, done, highest := inUse(), make(chan struct{}), make(chan uint64)
	go func() {
		most := start
		for {
			select {
			case <-done:
				highest <- most
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, inUse())
			}
		}
	}()
	return func() float64 {
		close(done)
		return float64(<-highest-start) / (1 << 20)
	}
}
