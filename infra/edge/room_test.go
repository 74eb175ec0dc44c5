package edge

import (
	"encoding/json"
	"strings"
	"testing"

	"previewenv/lambdas/catalog"
)

// TestTheFunctionsHaveRoomForThePathsOfACatalog renders them with as many paths as a
// catalog may have.
func TestTheFunctionsHaveRoomForThePathsOfACatalog(t *testing.T) {
	var backends []Backend
	for size := 0; ; {
		b := Backend{Name: strings.Repeat("n", 32), Paths: []string{"/" + strings.Repeat("p", 127)}}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if size += len(text) + 1; size > catalog.PathBytes {
			break
		}
		backends = append(backends, b)
	}
	// DNS allows 253 characters, and a label takes 64 of them.
	s := Settings{BaseDomain: strings.Repeat("d", 189), Frontend: strings.Repeat("f", 32), Backends: backends}
	if _, _, err := Render(s); err != nil {
		t.Error(err)
	}
}
