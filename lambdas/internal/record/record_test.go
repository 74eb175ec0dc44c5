package record_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"previewenv/lambdas/internal/awstest"
	"previewenv/lambdas/internal/fault"
	"previewenv/lambdas/internal/record"
	"previewenv/lambdas/internal/request"
	"previewenv/statemachine"
)

const (
	first  = "1111111111111111111111111111111111111111"
	second = "2222222222222222222222222222222222222222"
)

func store(t *testing.T) *record.Store {
	t.Helper()
	client, table := awstest.Table(t, awstest.Config(t))
	return record.New(client, table)
}

func wish(commit string) record.Claim {
	return record.Claim{
		Wanted: request.Wanted{Label: "pr1", Repository: "acme/shop", Commit: commit, Services: []string{"service1"}, Lifetime: time.Hour},
		Owner:  "U1", Channel: "C1", URL: "https://pr1.preview.example.com", MaxLifetime: 24 * time.Hour,
	}
}

func claim(t *testing.T, s *record.Store, c record.Claim) record.Environment {
	t.Helper()
	env, _, err := s.Claim(t.Context(), c)
	if err != nil {
		t.Fatalf("Claim = %v", err)
	}
	return env
}

func set(t *testing.T, s *record.Store, change func(*record.Environment)) {
	t.Helper()
	if _, err := s.Change(t.Context(), "pr1", func(env *record.Environment) error { change(env); return nil }); err != nil {
		t.Fatalf("Change = %v", err)
	}
}

func TestAWishIsOneRevisionHoweverOftenItIsMade(t *testing.T) {
	s := store(t)
	made := claim(t, s, wish(first))
	if made.State != record.Requested {
		t.Errorf("the first wish is revision %d of life %d, %s", made.Revision, made.Incarnation, made.State)
	}
	if again := claim(t, s, wish(first)); again.Revision != made.Revision || again.Incarnation != made.Incarnation {
		t.Errorf("the same wish again is revision %d", again.Revision)
	}
	set(t, s, func(env *record.Environment) { env.State = record.Ready })
	if other := claim(t, s, wish(second)); other.Revision != made.Revision+1 || other.Incarnation != made.Incarnation || other.ExpiresAt.Unix() != made.ExpiresAt.Unix() {
		t.Errorf("another wish is revision %d of life %d until %s, want %d of %d until %s", other.Revision, other.Incarnation, other.ExpiresAt, made.Revision+1, made.Incarnation, made.ExpiresAt)
	}
}

func TestAClosedLabelBeginsANewLife(t *testing.T) {
	for _, state := range []record.State{record.Gone, record.Failed} {
		t.Run(string(state), func(t *testing.T) {
			s := store(t)
			made := claim(t, s, wish(first))
			set(t, s, func(env *record.Environment) { s.Close(env, state) })
			if again := claim(t, s, wish(first)); again.Incarnation != made.Incarnation+1 || again.Revision != made.Revision+1 || again.ClosedAt != 0 || again.TTL != 0 {
				t.Errorf("life %d, revision %d, closed at %d", again.Incarnation, again.Revision, again.ClosedAt)
			}
		})
	}
}

func TestWhatIsBeingRemovedCannotBeClaimed(t *testing.T) {
	for _, state := range []record.State{record.CleaningUp, record.LeftBehind} {
		t.Run(string(state), func(t *testing.T) {
			s := store(t)
			claim(t, s, wish(first))
			set(t, s, func(env *record.Environment) { env.State = state })
			if _, _, err := s.Claim(t.Context(), wish(first)); !fault.Is(err, statemachine.ErrBadRequest) {
				t.Errorf("Claim = %v, want a fault named %s", err, statemachine.ErrBadRequest)
			}
		})
	}
}

func TestAnExecutionOfAnOlderRevisionIsSuperseded(t *testing.T) {
	s := store(t)
	made := claim(t, s, wish(first))
	claim(t, s, wish(second))
	late := wish(first)
	late.Revision, late.Execution = made.Revision, "arn:late"
	if _, _, err := s.Claim(t.Context(), late); !fault.Is(err, statemachine.ErrSuperseded) {
		t.Errorf("Claim = %v, want a fault named %s", err, statemachine.ErrSuperseded)
	}
	if _, err := s.Fence(t.Context(), "pr1", made.Revision); !fault.Is(err, statemachine.ErrSuperseded) {
		t.Errorf("Fence = %v, want a fault named %s", err, statemachine.ErrSuperseded)
	}
}

func TestAReRunTakesTheEnvironmentOver(t *testing.T) {
	s := store(t)
	c := wish(first)
	c.Execution = "arn:one"
	made := claim(t, s, c)
	set(t, s, func(env *record.Environment) { env.TaskToken = "token" })
	c.Execution = "arn:two"
	if env := claim(t, s, c); env.Execution != "arn:two" || env.TaskToken != "" || env.Revision != made.Revision {
		t.Errorf("execution %s, token %q, revision %d", env.Execution, env.TaskToken, env.Revision)
	}
}

func TestManyWritersOfOneRecordLoseNothing(t *testing.T) {
	s := store(t)
	claim(t, s, wish(first))
	const writers, each = 8, 3
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if _, err := s.Change(context.Background(), "pr1", func(env *record.Environment) error {
					env.Notes = append(env.Notes, "x")
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	env, _, err := s.Get(t.Context(), "pr1")
	if err != nil || len(env.Notes) != writers*each {
		t.Errorf("%d of %d writes are there (%v)", len(env.Notes), writers*each, err)
	}
}

func TestTheLastPlaceIsGivenOnce(t *testing.T) {
	s := store(t)
	full := errors.New("full")
	const places = 3
	var all sync.WaitGroup
	var mu sync.Mutex
	admitted := 0
	for i := range 8 {
		all.Go(func() {
			c := wish(first)
			c.Wanted.Label, c.Owner = fmt.Sprintf("pr%d", i), fmt.Sprintf("U%d", i)
			c.Admit = func(_ context.Context, live []record.Environment) (record.Near, error) {
				if len(live) >= places {
					return record.Near{}, full
				}
				return record.Near{Everybody: true}, nil
			}
			_, _, err := s.Claim(context.Background(), c)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				admitted++
			case !errors.Is(err, full):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if live, err := s.Live(t.Context()); admitted != places || len(live) != places || err != nil {
		t.Errorf("%d were let in and %d live, want %d (%v)", admitted, len(live), places, err)
	}
}

func TestARowOfANewerRevisionIsNeverWrittenOver(t *testing.T) {
	s := store(t)
	row := record.Resource{Environment: "pr1", Kind: "queue", Name: "orders", Revision: 2, ID: "new", State: record.Present}
	if err := s.PutResource(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	row.Revision, row.ID = 1, "old"
	if err := s.PutResource(t.Context(), row); !fault.Is(err, statemachine.ErrSuperseded) {
		t.Errorf("the write of the older one = %v, want a fault named %s", err, statemachine.ErrSuperseded)
	}
	if err := s.WritePlan(t.Context(), record.Life{}, nil, []record.Resource{row}); !fault.Is(err, statemachine.ErrSuperseded) {
		t.Errorf("a plan of the older one = %v, want a fault named %s", err, statemachine.ErrSuperseded)
	}
	got, ok, err := s.GetResource(t.Context(), "pr1", "queue", "orders")
	if err != nil || !ok || got.ID != "new" || got.Revision != 2 {
		t.Errorf("the row is %+v (%v)", got, err)
	}
}

func TestAPlanKeepsWhatIsThereOfTheSameLife(t *testing.T) {
	s := store(t)
	env := claim(t, s, wish(first))
	row := record.Resource{Environment: "pr1", Kind: "queue", Name: "orders", Revision: env.Revision, Incarnation: env.Incarnation, ID: "url", State: record.Present}
	if err := s.PutResource(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	life, _, err := s.Load(t.Context(), "pr1")
	if err != nil {
		t.Fatal(err)
	}
	planned := []record.Resource{
		{Environment: "pr1", Kind: "queue", Name: "orders", Revision: env.Revision + 1, Incarnation: env.Incarnation, State: record.Planned},
		{Environment: "pr1", Kind: "queue", Name: "mails", Revision: env.Revision + 1, Incarnation: env.Incarnation, State: record.Planned},
	}
	if err := s.WritePlan(t.Context(), life, nil, planned); err != nil {
		t.Fatal(err)
	}
	life, _, err = s.Load(t.Context(), "pr1")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range life.Resources {
		got[r.Name] = fmt.Sprintf("%s %s %d", r.ID, r.State, r.Revision-env.Revision)
	}
	if diff := cmp.Diff(map[string]string{"orders": "url present 1", "mails": " planned 1"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestADeliveryHasOneEffect(t *testing.T) {
	s := store(t)
	for i, want := range []bool{true, false, false} {
		if first, err := s.Once(t.Context(), "signature", time.Minute); err != nil || first != want {
			t.Errorf("delivery %d is the first: %v, %v", i, first, err)
		}
	}
}

func TestEveryoneWhoWaitsForABuildIsTold(t *testing.T) {
	s := store(t)
	const waiters = 12
	told := map[string]bool{}
	var mu sync.Mutex
	tell := func(id string) {
		some, err := s.EndBuild(context.Background(), "service1", first, id)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		for _, w := range some {
			told[w.Token] = true
		}
		mu.Unlock()
		if err := s.Told(context.Background(), "service1", first, some); err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for i := range waiters {
		all.Go(func() {
			b, err := s.JoinBuild(context.Background(), "service1", first, record.Waiter{Environment: "pr1", Revision: 1, Token: fmt.Sprintf("t|%d", i)})
			if err != nil {
				t.Error(err)
				return
			}
			if b.ID == "" { // whoever begins an attempt starts its build, and its end comes at any time
				id := fmt.Sprintf("build:%d", b.Attempt)
				if err := s.StartedBuild(context.Background(), "service1", first, b.Attempt, id); err != nil {
					t.Error(err)
				}
				tell(id)
			}
		})
	}
	all.Wait()
	// Whoever joined after the end was told is found by the next look at the build.
	b, err := s.JoinBuild(t.Context(), "service1", first, record.Waiter{Environment: "pr1", Revision: 1, Token: "last"})
	if err != nil {
		t.Fatal(err)
	}
	id := b.ID
	if id == "" {
		id = fmt.Sprintf("build:%d", b.Attempt)
		if err := s.StartedBuild(t.Context(), "service1", first, b.Attempt, id); err != nil {
			t.Fatal(err)
		}
	}
	tell(id)
	if len(told) != waiters+1 {
		t.Errorf("%d of %d were told", len(told), waiters+1)
	}
}

func TestARemovalIsClaimedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		env      record.Environment
		revision int
		refused  string
	}{
		"what lives gets a revision of its own":      {record.Environment{State: record.Ready, Revision: 3, Execution: "arn:hold"}, 4, ""},
		"what was left is tried again":               {record.Environment{State: record.LeftBehind, Revision: 4}, 5, ""},
		"a removal that runs is taken over as it is": {record.Environment{State: record.CleaningUp, Revision: 4, Execution: "arn:other"}, 4, ""},
		"what never was is refused":                  {record.Environment{}, 0, "no environment"},
		"what is gone is refused":                    {record.Environment{State: record.Gone, Revision: 4}, 4, "gone already"},
		"what was rolled back is refused":            {record.Environment{State: record.Failed, Revision: 4}, 4, "gone already"},
	} {
		t.Run(name, func(t *testing.T) {
			err := record.ClaimRemoval(&c.env, "arn:mine", "it was asked to")
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("ClaimRemoval = %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil || c.env.Revision != c.revision || c.env.State != record.CleaningUp || c.env.Execution != "arn:mine" {
				t.Errorf("ClaimRemoval = %v: %+v", err, c.env)
			}
		})
	}
}

func TestACommitFindsEachOfItsEnvironmentsOnce(t *testing.T) {
	s := store(t)
	for _, label := range []string{"pr1", "pr2"} {
		c := wish(first)
		c.Wanted.Label = label
		env := claim(t, s, c)
		services := []record.Service{
			{Environment: label, Name: "service1", Revision: env.Revision, Commit: first, State: record.ServiceQueued},
			{Environment: label, Name: "service2", Revision: env.Revision, Commit: first, State: record.ServiceQueued},
		}
		if err := s.WritePlan(t.Context(), record.Life{Environment: env}, services, nil); err != nil {
			t.Fatal(err)
		}
	}
	// The release before gave the rows of services the key of the index as well.
	client := s.Client.(*awstest.Atomic)
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.Table, Item: map[string]types.AttributeValue{
		"environment": text("pr1"), "item": text("SERVICE#service3"), "commit": text(first),
	}}); err != nil {
		t.Fatal(err)
	}
	for _, commit := range []string{first, first[:7]} {
		found, err := s.ByCommit(t.Context(), commit)
		if diff := cmp.Diff([]string{"pr1", "pr2"}, found); diff != "" || err != nil {
			t.Errorf("%s is found in (-want +got) %v:\n%s", commit, err, diff)
		}
	}
	life, _, err := s.Load(t.Context(), "pr2")
	if err != nil || life.Service("service1").Commit != first {
		t.Errorf("the row of the service is %+v (%v)", life.Services, err)
	}
}
