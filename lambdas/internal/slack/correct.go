package slack

import "strings"

// maxCompared bounds the work of Nearest for a word that a stranger sends.
const maxCompared = 100

// Nearest is the known name that a person most likely meant: within two edits (a
// letter added, left out, changed, or two swapped) and no more than half of the
// name, whatever the case. It is empty when there is none.
func Nearest(name string, known []string) string {
	if name == "" || len(name) > maxCompared {
		return ""
	}
	best, least := "", 3
	for _, k := range known {
		if len(k) > maxCompared {
			continue
		}
		d := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(k)))
		if d < least && 2*d <= max(len(name), len(k)) {
			best, least = k, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of two words.
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// Correct writes a command again with each wrong word, as it was typed between
// spaces or commas, replaced by the right one. It is empty when nothing changes.
func Correct(command, text string, right map[string]string) string {
	words, closed := split(text)
	if !closed {
		return ""
	}
	changed := false
	parts := []string{command}
	for _, w := range words {
		pieces := strings.Split(w.text, ",")
		for i, p := range pieces {
			if r, ok := right[p]; ok {
				pieces[i], changed = r, true
			}
		}
		parts = append(parts, quote(strings.Join(pieces, ",")))
	}
	if !changed {
		return ""
	}
	return strings.Join(parts, " ")
}
