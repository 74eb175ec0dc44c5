package kvs

import (
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"previewenv/infra/local/model"
)

func TestEveryAnswerIsOfTheShapeThatAWSsModelSays(t *testing.T) {
	models, err := model.Load(filepath.Join("..", "..", "..", ".local", "venv", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	s := New()
	base := "/key-value-stores/" + url.PathEscape(*arn)
	for _, c := range []struct {
		operation, method, path, body, etag string
		status                              int
	}{
		{"DescribeKeyValueStore", "GET", "", "", "", 200},
		{"PutKey", "PUT", "/keys/pr1", `{"Value":"v"}`, "KV1", 200},
		{"PutKey", "PUT", "/keys/pr1", `{"Value":"v"}`, "KV1", 409},
		{"UpdateKeys", "POST", "/keys", `{"Puts":[{"Key":"pr2","Value":"w"}],"Deletes":[]}`, "KV2", 200},
		{"GetKey", "GET", "/keys/pr1", "", "", 200},
		{"GetKey", "GET", "/keys/nobody", "", "", 404},
		{"ListKeys", "GET", "/keys", "", "", 200},
		{"ListKeys", "GET", "/keys?MaxResults=1", "", "", 200},
		{"DeleteKey", "DELETE", "/keys/pr1", "", "KV3", 200},
	} {
		r := httptest.NewRequest(c.method, base+c.path, strings.NewReader(c.body))
		if c.etag != "" {
			r.Header.Set("If-Match", c.etag)
		}
		for _, v := range models.Request("cloudfront-keyvaluestore", c.operation, r, []byte(c.body)) {
			t.Errorf("the test itself: %s", v)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: status %d, want %d: %s", c.operation, c.path, w.Code, c.status, w.Body)
		}
		for _, v := range models.Answer("cloudfront-keyvaluestore", c.operation, w.Code, w.Header(), w.Body.Bytes()) {
			t.Error(v)
		}
	}
}
