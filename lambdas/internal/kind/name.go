package kind

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// hashLetters of 5 bits each are enough that two of an account's few thousand names
// collide with a probability below one in ten thousand, should all of them have to be
// cut; the tags tell even those apart.
const hashLetters = 8

// Name joins parts by hyphens, with a hash of the parts at the end: pr1 with x-service2
// and pr1-x with service2 are two names. The readable part is cut where all of it is
// more than limit characters.
func Name(limit int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:hashLetters]
	name := strings.Join(parts, "-")
	if room := limit - hashLetters - 1; len(name) > room {
		name = strings.TrimRight(name[:room], "-")
	}
	return name + "-" + hash
}
