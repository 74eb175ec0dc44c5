package kvs

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore"
	"github.com/aws/aws-sdk-go-v2/service/cloudfrontkeyvaluestore/types"
	"github.com/google/go-cmp/cmp"
)

var arn = aws.String("arn:aws:cloudfront::123456789012:key-value-store/0a1b2c3d")

// client is the real SDK client; it puts the account before the host, so it goes
// through a proxy.
func client(t *testing.T, s *Store) *cloudfrontkeyvaluestore.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return cloudfrontkeyvaluestore.New(cloudfrontkeyvaluestore.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}},
	})
}

func etag(t *testing.T, c *cloudfrontkeyvaluestore.Client) *string {
	t.Helper()
	d, err := c.DescribeKeyValueStore(t.Context(), &cloudfrontkeyvaluestore.DescribeKeyValueStoreInput{KvsARN: arn})
	if err != nil {
		t.Fatal(err)
	}
	return d.ETag
}

func TestAPairLivesFromPutToDelete(t *testing.T) {
	s := New()
	c := client(t, s)
	key := aws.String("pr1/ü")
	put, err := c.PutKey(t.Context(), &cloudfrontkeyvaluestore.PutKeyInput{
		KvsARN: arn, IfMatch: etag(t, c), Key: key, Value: aws.String(`{"state":"live"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetKey(t.Context(), &cloudfrontkeyvaluestore.GetKeyInput{KvsARN: arn, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Value != `{"state":"live"}` || *got.ItemCount != 1 || *got.TotalSizeInBytes != int64(len(*key)+len(*got.Value)) {
		t.Errorf("GetKey answered %+v", got)
	}
	if value, ok := s.Get(*key); !ok || value != *got.Value {
		t.Errorf("Get = %q, %v", value, ok)
	}
	if _, err := c.DeleteKey(t.Context(), &cloudfrontkeyvaluestore.DeleteKeyInput{KvsARN: arn, IfMatch: put.ETag, Key: key}); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetKey(t.Context(), &cloudfrontkeyvaluestore.GetKeyInput{KvsARN: arn, Key: key})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("GetKey of a deleted key: %v", err)
	}
	if s.Len() != 0 {
		t.Errorf("Len = %d", s.Len())
	}
}

func TestAStaleETagConflictsAndChangesNothing(t *testing.T) {
	s := New()
	c := client(t, s)
	stale := etag(t, c)
	put := func(ifMatch *string, value string) error {
		_, err := c.PutKey(t.Context(), &cloudfrontkeyvaluestore.PutKeyInput{
			KvsARN: arn, IfMatch: ifMatch, Key: aws.String("pr1"), Value: &value,
		})
		return err
	}
	if err := put(stale, "first"); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*types.ConflictException](put(stale, "second")); !ok {
		t.Error("a stale ETag was taken")
	}
	if value, _ := s.Get("pr1"); value != "first" {
		t.Errorf("the value is %q", value)
	}
	if err := put(etag(t, c), "third"); err != nil {
		t.Fatal(err)
	}
}

func TestUpdateKeysIsAllOrNothing(t *testing.T) {
	s := New()
	c := client(t, s)
	update := func(puts map[string]string, deletes ...string) error {
		in := &cloudfrontkeyvaluestore.UpdateKeysInput{KvsARN: arn, IfMatch: etag(t, c)}
		for k, v := range puts {
			in.Puts = append(in.Puts, types.PutKeyRequestListItem{Key: &k, Value: &v})
		}
		for _, k := range deletes {
			in.Deletes = append(in.Deletes, types.DeleteKeyRequestListItem{Key: &k})
		}
		_, err := c.UpdateKeys(t.Context(), in)
		return err
	}
	if err := update(map[string]string{"a": "1", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	if err := update(map[string]string{"a": "9", "c": strings.Repeat("x", maxValue+1)}, "b"); err == nil {
		t.Error("a value over the limit was taken")
	}
	if err := update(map[string]string{"a": "9"}, "missing"); err == nil {
		t.Error("a missing key was deleted")
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, s.pairs); diff != "" {
		t.Errorf("a refused update left something (-want +got):\n%s", diff)
	}
	if err := update(map[string]string{"a": "3"}, "b"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "3"}, s.pairs); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	if s.size != 2 {
		t.Errorf("size = %d, want 2", s.size)
	}
}

func TestLimits(t *testing.T) {
	many := make([]pair, maxUpdateKeys+1)
	for i := range many {
		many[i] = pair{fmt.Sprint(i), ""}
	}
	for name, puts := range map[string][]pair{
		"a key is not empty":              {{"", "v"}},
		"a key has at most 512 bytes":     {{strings.Repeat("k", maxKey+1), "v"}},
		"a value has at most 1 KB":        {{"k", strings.Repeat("v", maxValue+1)}},
		"an update has at most 50 keys":   many,
		"a key is in an update only once": {{"k", "1"}, {"k", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			if _, _, f := s.update(s.etag(), puts, nil); f == nil || f.name != "ValidationException" {
				t.Errorf("update = %v", f)
			}
		})
	}
}

func TestListKeysIsFollowedPastItsFirstPage(t *testing.T) {
	s := New()
	want := map[string]string{}
	for i := range 25 {
		p := pair{fmt.Sprintf("pr%d", i), fmt.Sprint(i)}
		want[p.Key] = p.Value
		if _, _, f := s.update(s.etag(), []pair{p}, nil); f != nil {
			t.Fatal(f)
		}
	}
	pages := cloudfrontkeyvaluestore.NewListKeysPaginator(client(t, s), &cloudfrontkeyvaluestore.ListKeysInput{KvsARN: arn})
	got := map[string]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			got[*item.Key] = *item.Value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
}
