package catalog

import (
	"slices"
	"strings"
)

// Nearest is the known name that a mistyped one most likely meant, or "" when
// none is near. Case does not count; of two that are equally near, the first is.
func Nearest(name string, known []string) string {
	best, bestDistance := "", len(name)
	for _, candidate := range known {
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		// A third of the longer name: enough for a slip of the fingers, too little to
		// turn one word into another.
		if limit := max(len(name), len(candidate))/3 + 1; d <= limit && d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			replace := previous[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, previous[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
