package rule

import (
	"strconv"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	band := [2]int{1000, 39999}
	tests := map[string]struct {
		band    [2]int
		paths   []string
		used    []int
		wantMin int
		wantMax int
		none    bool
	}{
		"the longest path that there may be takes the first slice": {
			band: band, paths: []string{"/" + strings.Repeat("a", 127)}, wantMin: 1000, wantMax: 1303,
		},
		"the shortest path takes the last slice": {
			band: band, paths: []string{"/"}, wantMin: 39695, wantMax: 39999,
		},
		"only the part before a wildcard counts": {
			band: band, paths: []string{"/*" + strings.Repeat("a", 100)}, wantMin: 39695, wantMax: 39999,
		},
		"the longest of several paths counts": {
			band: band, paths: []string{"/", "/" + strings.Repeat("a", 127)}, wantMin: 1000, wantMax: 1303,
		},
		"the one number that is left is found": {
			band: [2]int{10, 10 + 128*3 - 1}, paths: []string{"/"}, used: []int{391, 393}, wantMin: 392, wantMax: 392,
		},
		"a full slice is not left for another": {
			band: [2]int{10, 10 + 128*2 - 1}, paths: []string{"/"}, used: []int{264, 265}, none: true,
		},
		"a band of one number has room for one rule": {
			band: [2]int{7, 7}, paths: []string{"/service1/*"}, wantMin: 7, wantMax: 7,
		},
		"an empty band has no room": {band: [2]int{8, 7}, paths: []string{"/service1/*"}, none: true},
	}
	for rule, test := range tests {
		t.Run(rule, func(t *testing.T) {
			used := map[int]bool{}
			for _, number := range test.used {
				used[number] = true
			}
			got, ok := choose(test.band, test.paths, "pr1/service1", used)
			if ok == test.none {
				t.Fatalf("choose = %d, %v, want room: %v", got, ok, !test.none)
			}
			if ok && (got < test.wantMin || got > test.wantMax) {
				t.Errorf("choose = %d, want %d to %d", got, test.wantMin, test.wantMax)
			}
		})
	}
}

func TestChooseFillsASliceBeforeItGivesUp(t *testing.T) {
	band := [2]int{1000, 39999}
	_, size := slice(band, literal([]string{"/service1/*"}))
	used := map[int]bool{}
	for i := range size {
		number, ok := choose(band, []string{"/service1/*"}, "pr"+strconv.Itoa(i), used)
		if !ok || used[number] {
			t.Fatalf("choose = %d, %v with %d of %d taken", number, ok, i, size)
		}
		used[number] = true
	}
	if number, ok := choose(band, []string{"/service1/*"}, "one more", used); ok {
		t.Errorf("choose = %d in a full slice", number)
	}
}

func FuzzChoose(f *testing.F) {
	f.Add(1000, 39999, "/service1/*", "/service1/admin/*", "pr1", uint16(3))
	f.Add(1, 50000, "/", "/a", "pr2", uint16(0))
	f.Add(7, 20, "/a", "/abc*", "pr3", uint16(9))
	f.Fuzz(func(t *testing.T, first, last int, one, other, key string, taken uint16) {
		first, last = min(max(first, 1), 50000), min(max(last, 1), 50000)
		band := [2]int{first, last}
		used := map[int]bool{}
		for i := range int(taken) {
			used[first+i*3] = true
		}
		a, okA := choose(band, []string{one}, key, used)
		b, okB := choose(band, []string{other}, key, used)
		for number, ok := range map[int]bool{a: okA, b: okB} {
			if ok && (number < first || number > last) {
				t.Fatalf("choose = %d, outside %v", number, band)
			}
			if ok && used[number] {
				t.Fatalf("choose = %d, which is taken", number)
			}
		}
		long, short := min(literal([]string{one}), lengths), min(literal([]string{other}), lengths)
		if okA && okB && long > short && short > 0 && last-first+1 >= lengths && a >= b {
			t.Fatalf("%q got %d and the shorter %q got %d in %v", one, a, other, b, band)
		}
	})
}
