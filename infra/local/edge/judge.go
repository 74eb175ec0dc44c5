package edge

import (
	"bytes"
	"io"
	"net/http"
	"slices"

	"previewenv/infra/local/model"
)

// maxJudged bounds what is kept of an answer to judge it.
const maxJudged = 8 << 20

// Judge holds every call and its answer against the models from now on, and tells
// what they do not allow. told runs in the way of the answer's end.
func (e *Edge) Judge(models *model.Models, told func(Call, []model.Violation)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.models, e.violated = models, told
}

// streams are the operations whose bodies are a caller's own bytes, of any length.
var streams = []string{"PutObject", "UploadPart", "GetObject"}

// judged holds a request against the models; the returned func does the same with its
// answer. Both do nothing before Judge.
func (e *Edge) judged(w http.ResponseWriter, r *http.Request, c Call, body []byte) (http.ResponseWriter, func(Call)) {
	e.mu.RLock()
	models, told := e.models, e.violated
	e.mu.RUnlock()
	if models == nil {
		return w, func(Call) {}
	}
	if c.Service == "s3" && !slices.Contains(streams, c.Operation) {
		if read, err := io.ReadAll(io.LimitReader(r.Body, maxBody)); err == nil {
			body = read
			replay(r, body)
		}
	}
	found := models.Request(c.Service, c.Operation, r, body)
	kept := &keeper{ResponseWriter: w, limit: maxJudged}
	if slices.Contains(streams, c.Operation) {
		kept.limit = 0
	}
	return kept, func(c Call) {
		if c.Status != 0 && !kept.full && r.Context().Err() == nil {
			found = append(found, models.Answer(c.Service, c.Operation, c.Status, w.Header(), kept.body.Bytes())...)
		}
		if len(found) > 0 {
			told(c, found)
		}
	}
}

// keeper keeps a copy of an answer's body.
type keeper struct {
	http.ResponseWriter
	body  bytes.Buffer
	limit int
	full  bool
}

// Write passes a part of the body on.
func (k *keeper) Write(p []byte) (int, error) {
	switch {
	case k.limit == 0:
	case k.body.Len()+len(p) > k.limit:
		k.full = true
	default:
		k.body.Write(p)
	}
	return k.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }
