package step

import "strings"

// cutKey splits a "kind/name" key.
func cutKey(key string) (kind, name string, ok bool) { return strings.Cut(key, "/") }
