package rule

import (
	"hash/fnv"
	"strings"
)

// lengths are the slices of the band, one for each length that a path pattern may have: at most
// 128 characters (botocore, PathPatternConditionConfig).
const lengths = 128

// choose picks a number that is free. The band is cut into slices by the length of
// the longest path, longer paths in lower numbers, so that of two rules of one host
// the more specific is matched first. Where in its slice a rule starts to look
// depends on its key, so that executions side by side seldom want the same number.
// A slice without a free number is not left: the order would be lost.
func choose(band [2]int, paths []string, key string, used map[int]bool) (number int, ok bool) {
	first, size := slice(band, literal(paths))
	if size < 1 {
		return 0, false
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(key))
	start := int(hash.Sum32() % uint32(size)) //nolint:gosec // size is at most 50,000
	for i := range size {
		if number := first + (start+i)%size; !used[number] {
			return number, true
		}
	}
	return 0, false
}

// slice is the part of the band for paths of a length. A band of fewer numbers than
// there are lengths has several lengths share a number's worth of slice.
func slice(band [2]int, length int) (first, size int) {
	width := band[1] - band[0] + 1
	if width < 1 {
		return 0, 0
	}
	count := min(lengths, width)
	index := (lengths - min(max(length, 1), lengths)) * count / lengths
	begin := index * width / count
	return band[0] + begin, (index+1)*width/count - begin
}

// holds tells whether a number lies in the slice of the paths.
func holds(band [2]int, paths []string, number int) bool {
	first, size := slice(band, literal(paths))
	return number >= first && number < first+size
}

// literal is the length of the longest path up to its first wildcard.
func literal(paths []string) int {
	longest := 0
	for _, path := range paths {
		if wildcard := strings.IndexAny(path, "*?"); wildcard >= 0 {
			path = path[:wildcard]
		}
		longest = max(longest, len(path))
	}
	return longest
}
