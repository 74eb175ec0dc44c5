// Package wildcard matches as listener rules and cache behaviors do. It knows
// nothing of hosts and paths, nor of when case counts.
package wildcard

import "strings"

// Fits tells whether s is what pattern says: * is any number of characters, none
// too, and ? is exactly one.
func Fits(pattern, s string) bool {
	p, i, star, retry := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			retry++
			p, i = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
