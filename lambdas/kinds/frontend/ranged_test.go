package frontend

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}

func TestRangedReadsWhatTheObjectHolds(t *testing.T) {
	data := content(3*blockSize + 5)
	from := newRanged(int64(len(data)), func(a, b int64) ([]byte, error) { return data[a:b], nil })
	tests := map[string]struct{ at, length int }{
		"the beginning":          {0, 10},
		"across two blocks":      {blockSize - 3, 10},
		"across all blocks":      {1, 3 * blockSize},
		"the end":                {len(data) - 5, 5},
		"a whole block":          {blockSize, blockSize},
		"nothing":                {7, 0},
		"over the end":           {len(data) - 5, 10},
		"behind the end":         {len(data), 1},
		"far behind the end":     {len(data) + blockSize, 1},
		"the last block's start": {3 * blockSize, 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want, got := make([]byte, test.length), make([]byte, test.length)
			n, wantErr := bytes.NewReader(data).ReadAt(want, int64(test.at))
			m, err := from.ReadAt(got, int64(test.at))
			if m != n || !bytes.Equal(want, got) || (wantErr == nil) != (err == nil) {
				t.Errorf("ReadAt = %d, %v, want %d, %v", m, err, n, wantErr)
			}
		})
	}
}

func TestRangedFetchesABlockOnceForAllWhoWait(t *testing.T) {
	data := content(4 * blockSize)
	var fetched atomic.Int32
	from := newRanged(int64(len(data)), func(a, b int64) ([]byte, error) {
		fetched.Add(1)
		return data[a:b], nil
	})
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			got, err := io.ReadAll(io.NewSectionReader(from, 0, int64(len(data))))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
		})
	}
	group.Wait()
	if fetched.Load() != 4 {
		t.Errorf("%d fetches of 4 blocks", fetched.Load())
	}
}

func TestRangedKeepsABoundedNumberOfBlocks(t *testing.T) {
	const blocks = 2*maxBlocks + 1
	from := newRanged(blocks*blockSize, func(a, b int64) ([]byte, error) { return make([]byte, b-a), nil })
	for i := range int64(blocks) {
		if _, err := from.ReadAt(make([]byte, 1), i*blockSize); err != nil {
			t.Fatal(err)
		}
		if len(from.blocks) > maxBlocks || len(from.recent) != len(from.blocks) {
			t.Fatalf("%d blocks kept, %d in order", len(from.blocks), len(from.recent))
		}
	}
}

func TestRangedTriesABlockAgain(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		fails int
		want  error
	}{
		"a body that breaks off once":   {1, nil},
		"a body that breaks off always": {attempts, broken},
	} {
		t.Run(name, func(t *testing.T) {
			fails := test.fails
			from := newRanged(10, func(a, b int64) ([]byte, error) {
				if fails > 0 {
					fails--
					return nil, broken
				}
				return make([]byte, b-a), nil
			})
			if _, err := from.ReadAt(make([]byte, 10), 0); !errors.Is(err, test.want) {
				t.Errorf("ReadAt = %v, want %v", err, test.want)
			}
			// What failed is not kept.
			if _, err := from.ReadAt(make([]byte, 10), 0); err != nil {
				t.Errorf("ReadAt later = %v", err)
			}
		})
	}
}
