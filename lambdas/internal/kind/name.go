package kind

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// hashDigits is enough that two of an account's few thousand names collide with
// a probability below one in a thousand million.
const hashDigits = 10

// Name joins parts by hyphens. A name over limit characters keeps its beginning
// and ends in a hash of the whole, so that two long names never become one.
func Name(limit int, parts ...string) string {
	name := strings.Join(parts, "-")
	if len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:])[:hashDigits]
	return strings.TrimRight(name[:limit-hashDigits-1], "-") + "-" + hash
}
