package frontend

import (
	"io"
	"sync"
)

const (
	// blockSize makes the 20 ms or so of a request small beside its transfer.
	blockSize = 1 << 20
	// maxBlocks bounds the cache at 32 MiB: a block for each worker, so that none
	// takes away what another one is about to read.
	maxBlocks = workers
	// attempts at a block: the SDK retries a request, but not a body that breaks off.
	attempts = 3
)

// ranged reads an object of S3 at any place and keeps the blocks that were read
// last. Several goroutines may use it; a block is fetched once for all who wait.
type ranged struct {
	size  int64
	fetch func(from, to int64) ([]byte, error)

	mu     sync.Mutex
	blocks map[int64]*block
	recent []int64 // numbers of blocks, the one used last at the end
}

type block struct {
	ready chan struct{} // closed when data and err are set
	data  []byte
	err   error
}

func newRanged(size int64, fetch func(from, to int64) ([]byte, error)) *ranged {
	return &ranged{size: size, fetch: fetch, blocks: map[int64]*block{}}
}

// ReadAt reads as io.ReaderAt says.
func (r *ranged) ReadAt(p []byte, offset int64) (int, error) {
	n := 0
	for n < len(p) {
		at := offset + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		data, err := r.block(at / blockSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%blockSize:])
	}
	return n, nil
}

func (r *ranged) block(number int64) ([]byte, error) {
	b, mine := r.claim(number)
	if mine {
		from := number * blockSize
		for range attempts {
			if b.data, b.err = r.fetch(from, min(from+blockSize, r.size)); b.err == nil {
				break
			}
		}
		if b.err != nil {
			r.forget(number)
		}
		close(b.ready)
	}
	<-b.ready
	return b.data, b.err
}

// claim returns the block, and whether the caller has to fetch it.
func (r *ranged) claim(number int64) (b *block, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.blocks[number]
	if ok {
		r.drop(number)
	} else {
		b = &block{ready: make(chan struct{})}
		r.blocks[number] = b
		if len(r.recent) == maxBlocks {
			delete(r.blocks, r.recent[0])
			r.recent = r.recent[1:]
		}
	}
	r.recent = append(r.recent, number)
	return b, !ok
}

func (r *ranged) forget(number int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.blocks, number)
	r.drop(number)
}

// drop takes a number out of the order of use.
func (r *ranged) drop(number int64) {
	for i, n := range r.recent {
		if n == number {
			r.recent = append(r.recent[:i], r.recent[i+1:]...)
			return
		}
	}
}
