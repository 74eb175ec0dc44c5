package kvs

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Page sizes of ListKeys (botocore, ListKeysRequest).
const (
	defaultPage = 10
	maxPage     = 50
)

// ServeHTTP answers the data API: DescribeKeyValueStore, ListKeys, GetKey,
// PutKey, DeleteKey and UpdateKeys.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arn, rest, key, f := parsePath(r.URL)
	if f != nil {
		answerFault(w, f)
		return
	}
	switch r.Method + " " + rest {
	case "GET ":
		s.describe(w, arn)
	case "GET keys":
		s.list(w, r)
	case "POST keys":
		s.updateKeys(w, r)
	case "GET key":
		s.get(w, key)
	case "PUT key":
		s.put(w, r, key)
	case "DELETE key":
		s.change(w, r, nil, []string{key})
	default:
		answerFault(w, invalid("%s %s is no operation of the KeyValueStore API", r.Method, r.URL.Path))
	}
}

// parsePath takes /key-value-stores/{KvsARN}[/keys[/{Key}]] apart, whose parts
// are escaped: the ARN has slashes.
func parsePath(u *url.URL) (arn, rest, key string, f *fault) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	if len(parts) < 2 || len(parts) > 4 || parts[0] != "key-value-stores" || (len(parts) > 2 && parts[2] != "keys") {
		return "", "", "", invalid("%s is no path of the KeyValueStore API", u.Path)
	}
	arn, err := url.PathUnescape(parts[1])
	if err != nil || !strings.HasPrefix(arn, "arn:aws:cloudfront::") || !strings.Contains(arn, ":key-value-store/") {
		return "", "", "", invalid("%q is not the ARN of a KeyValueStore", arn)
	}
	switch len(parts) {
	case 3:
		rest = "keys"
	case 4:
		rest = "key"
		if key, err = url.PathUnescape(parts[3]); err != nil {
			return "", "", "", invalid("%q is no key", parts[3])
		}
	}
	return arn, rest, key, nil
}

func (s *Store) describe(w http.ResponseWriter, arn string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w.Header().Set("ETag", s.etag())
	answer(w, struct {
		totals
		KvsARN       string
		Status       string
		Created      int64
		LastModified int64
	}{s.totals(), arn, "READY", s.created.Unix(), s.modified.Unix()})
}

func (s *Store) get(w http.ResponseWriter, key string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	value, ok := s.pairs[key]
	if !ok {
		answerFault(w, notFound(key))
		return
	}
	answer(w, struct {
		pair
		totals
	}{pair{key, value}, s.totals()})
}

func (s *Store) list(w http.ResponseWriter, r *http.Request) {
	limit := defaultPage
	if text := r.URL.Query().Get("MaxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			answerFault(w, invalid("MaxResults is 1 to %d, not %q", maxPage, text))
			return
		}
		limit = n
	}
	after, err := base64.URLEncoding.DecodeString(r.URL.Query().Get("NextToken"))
	if err != nil {
		answerFault(w, invalid("NextToken is not one of ours"))
		return
	}
	items, next := s.page(string(after), limit)
	answer(w, struct {
		Items     []pair
		NextToken string `json:",omitempty"`
	}{items, base64.URLEncoding.EncodeToString([]byte(next))})
}

func (s *Store) put(w http.ResponseWriter, r *http.Request, key string) {
	var body struct{ Value *string }
	if f := decode(w, r, &body); f != nil {
		answerFault(w, f)
		return
	}
	if body.Value == nil {
		answerFault(w, invalid("Value is missing"))
		return
	}
	s.change(w, r, []pair{{key, *body.Value}}, nil)
}

func (s *Store) updateKeys(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Puts    []pair
		Deletes []struct{ Key string }
	}
	if f := decode(w, r, &body); f != nil {
		answerFault(w, f)
		return
	}
	deletes := make([]string, len(body.Deletes))
	for i, d := range body.Deletes {
		deletes[i] = d.Key
	}
	s.change(w, r, body.Puts, deletes)
}

func (s *Store) change(w http.ResponseWriter, r *http.Request, puts []pair, deletes []string) {
	after, etag, f := s.update(r.Header.Get("If-Match"), puts, deletes)
	if f != nil {
		answerFault(w, f)
		return
	}
	w.Header().Set("ETag", etag)
	answer(w, after)
}

func decode(w http.ResponseWriter, r *http.Request, v any) *fault {
	// JSON may spell a byte with six, so the body may be larger than what it says.
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 6*maxUpdateBytes)).Decode(v)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return invalid("the body is over %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return invalid("the body is not the JSON of this operation: %v", err)
	}
	return nil
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func answerFault(w http.ResponseWriter, f *fault) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", f.name)
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Message": f.message})
}
