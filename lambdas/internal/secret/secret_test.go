package secret

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// store is a Secrets Manager that counts how often it is read.
type store struct {
	values map[string]*string
	reads  int
}

func (s *store) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	s.reads++
	v, ok := s.values[*in.SecretId]
	if !ok {
		return nil, errors.New("no such secret")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: v}, nil
}

func TestASecretIsReadLazilyAndKeptForFiveMinutes(t *testing.T) {
	first, second := "first", "second"
	api := &store{values: map[string]*string{"slack": &first}}
	now := time.Unix(0, 0)
	r := New(api)
	r.now = func() time.Time { return now }

	steps := []struct {
		rule  string
		after time.Duration
		value *string
		want  string
		reads int
	}{
		{"the first use reads it", 0, &first, "first", 1},
		{"the next does not", 4 * time.Minute, &second, "first", 1},
		{"a rotated one is seen after five minutes", time.Minute, &second, "second", 2},
	}
	if api.reads != 0 {
		t.Errorf("New read %d secrets", api.reads)
	}
	for _, step := range steps {
		now = now.Add(step.after)
		api.values["slack"] = step.value
		got, err := r.Value(t.Context(), "slack")
		if err != nil || got != step.want || api.reads != step.reads {
			t.Errorf("%s: got %q, %v after %d reads; want %q after %d", step.rule, got, err, api.reads, step.want, step.reads)
		}
	}
}

func TestWhatIsNoTextIsAnErrorAndNotKept(t *testing.T) {
	api := &store{values: map[string]*string{"binary": nil}}
	r := New(api)
	for _, id := range []string{"binary", "missing"} {
		before := api.reads
		for range 2 {
			if got, err := r.Value(t.Context(), id); err == nil {
				t.Errorf("%s was read as %q", id, got)
			}
		}
		if api.reads != before+2 {
			t.Errorf("the failure of %s was kept", id)
		}
	}
}

func TestNoIDIsNoSecret(t *testing.T) {
	api := &store{}
	if got, err := New(api).Value(t.Context(), ""); got != "" || err != nil || api.reads != 0 {
		t.Errorf("got %q, %v after %d reads", got, err, api.reads)
	}
}

func TestASecretThatIsRefusedIsReadAgain(t *testing.T) {
	first, second := "first", "second"
	api := &store{values: map[string]*string{"slack": &first}}
	now := time.Unix(0, 0)
	r := New(api)
	r.now = func() time.Time { return now }
	source := r.Of("slack")
	if got, err := source(t.Context(), ""); got != "first" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	steps := []struct {
		rule    string
		after   time.Duration
		value   *string
		refused string
		want    string
		reads   int
	}{
		{"a refusal within seconds of the read is the secret's own", 9 * time.Second, &second, "first", "first", 1},
		{"after it the secret is read again", time.Second, &second, "first", "second", 2},
		{"whoever still had the old one gets the new without a read", 0, &second, "first", "second", 2},
		{"one that stays wrong is not read at each refusal", 5 * time.Second, &second, "second", "second", 2},
		{"but every ten seconds", 5 * time.Second, &second, "second", "second", 3},
	}
	for _, step := range steps {
		now = now.Add(step.after)
		api.values["slack"] = step.value
		got, err := source(t.Context(), step.refused)
		if err != nil || got != step.want || api.reads != step.reads {
			t.Errorf("%s: got %q, %v after %d reads; want %q after %d", step.rule, got, err, api.reads, step.want, step.reads)
		}
	}
	if got, err := r.Of("")(t.Context(), "x"); got != "" || err != nil {
		t.Errorf("no secret is %q, %v", got, err)
	}
}
