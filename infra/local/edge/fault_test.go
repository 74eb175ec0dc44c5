package edge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// struckEdge is an edge that takes every call for one of plan's, which works for
// pr1, and answers ECS by answer.
func struckEdge(t *testing.T, answer http.HandlerFunc) (*Edge, aws.Config) {
	t.Helper()
	e := New(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, slog.New(slog.DiscardHandler))
	e.Serving(func(string) []byte { return []byte(`{"op":"ensure","environment":"pr1"}`) })
	e.Handle("ecs", "", answer)
	front := httptest.NewServer(e)
	t.Cleanup(front.Close)
	return e, aws.Config{
		Region: "us-east-1", BaseEndpoint: &front.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("plan.1", "secret", ""),
	}
}

func describe(ctx context.Context, cfg aws.Config) (string, error) {
	out, err := ecs.NewFromConfig(cfg).DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{"s"}})
	if err != nil || len(out.Services) == 0 {
		return "", err
	}
	return aws.ToString(out.Services[0].Status), nil
}

var describes = Like{Caller: "plan", Step: "ensure", Service: "ecs", Operation: "DescribeServices"}

func counted(n *int, statuses ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		status := statuses[min(*n, len(statuses)-1)]
		*n++
		_, _ = io.WriteString(w, `{"services":[{"status":"`+status+`"}]}`)
	}
}

func TestEachServiceSaysAFaultInItsOwnWay(t *testing.T) {
	calls := map[string]func(context.Context, aws.Config) error{
		"elasticloadbalancing": func(ctx context.Context, c aws.Config) error {
			_, err := elb.NewFromConfig(c).DescribeRules(ctx, &elb.DescribeRulesInput{})
			return err
		},
		"ecs": func(ctx context.Context, c aws.Config) error { _, err := describe(ctx, c); return err },
		"dynamodb": func(ctx context.Context, c aws.Config) error {
			_, err := dynamodb.NewFromConfig(c).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		},
		"codebuild": func(ctx context.Context, c aws.Config) error {
			_, err := codebuild.NewFromConfig(c).BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{"x"}})
			return err
		},
		"states": func(ctx context.Context, c aws.Config) error {
			_, err := sfn.NewFromConfig(c).ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
			return err
		},
		"ssm": func(ctx context.Context, c aws.Config) error {
			_, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("x")})
			return err
		},
		"secretsmanager": func(ctx context.Context, c aws.Config) error {
			_, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("x")})
			return err
		},
		"s3": func(ctx context.Context, c aws.Config) error {
			_, err := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("site")})
			return err
		},
		"cloudfront": func(ctx context.Context, c aws.Config) error {
			_, err := cloudfront.NewFromConfig(c).ListDistributions(ctx, &cloudfront.ListDistributionsInput{})
			return err
		},
		"sqs": func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).ListQueues(ctx, &sqs.ListQueuesInput{})
			return err
		},
	}
	throttles := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	for service, call := range calls {
		t.Run(service, func(t *testing.T) {
			var done int
			e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
			var likes []Like
			e.Observe(func(c Call) { likes = append(likes, c.Like()) })
			_ = call(t.Context(), cfg) // tells what to strike
			like := likes[0]
			for n, kind := range []Kind{Throttled, InternalError, AccessDenied} {
				e.Inject(Fault{Environment: "pr1", Like: like, Nth: n + 2, Kind: kind})
			}
			err := call(t.Context(), cfg)
			if throttles.IsErrorThrottle(err) != aws.TrueTernary {
				t.Errorf("throttled: the SDK takes it for something else: %v", err)
			}
			err = call(t.Context(), cfg)
			var api smithy.APIError
			if !retry.NewStandard().IsErrorRetryable(err) || !errors.As(err, &api) || api.ErrorCode() == "UnknownError" {
				t.Errorf("internal error: %v", err)
			}
			err = call(t.Context(), cfg)
			if !errors.As(err, &api) || !strings.HasPrefix(api.ErrorCode(), "AccessDenied") {
				t.Errorf("access denied: %v", err)
			}
		})
	}
}

func TestAFaultIsDoneToTheCallsThatItNames(t *testing.T) {
	for name, c := range map[string]struct {
		fault Fault
		want  []bool // whether each call in turn fails
	}{
		"the second alone":        {Fault{Environment: "pr1", Like: describes, Nth: 2}, []bool{false, true, false, false}},
		"two from the second on":  {Fault{Environment: "pr1", Like: describes, Nth: 2, Times: 2}, []bool{false, true, true, false}},
		"all until it is lifted":  {Fault{Environment: "pr1", Like: describes, Nth: 2, Times: Until}, []bool{false, true, true, true}},
		"not another environment": {Fault{Environment: "pr2", Like: describes, Nth: 1, Times: Until}, []bool{false, false, false, false}},
		"not another step": {Fault{Environment: "pr1", Nth: 1, Times: Until, Like: Like{"plan", "remove", "ecs", "DescribeServices"}},
			[]bool{false, false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			var done int
			e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
			c.fault.Kind = InternalError
			injected := e.Inject(c.fault)
			var got []bool
			fired := 0
			for range c.want {
				_, err := describe(t.Context(), cfg)
				got = append(got, err != nil)
				if err != nil {
					fired++
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("failed calls (-want +got):\n%s", diff)
			}
			if injected.Fired() != fired {
				t.Errorf("Fired = %d, %d calls failed", injected.Fired(), fired)
			}
			injected.Lift()
			if _, err := describe(t.Context(), cfg); err != nil {
				t.Errorf("after Lift: %v", err)
			}
		})
	}
}

func TestALostAnswerIsNotALostCall(t *testing.T) {
	for kind, want := range map[Kind]int{CutBefore: 0, AnswerLost: 1, TooSlow: 1} {
		t.Run(string(kind), func(t *testing.T) {
			var done int
			e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
			observed := make(chan Call, 1)
			e.Observe(func(c Call) { observed <- c })
			e.Inject(Fault{Environment: "pr1", Like: describes, Nth: 1, Kind: kind, Hold: 50 * time.Millisecond})
			_, err := describe(t.Context(), cfg)
			if err == nil || retry.NewStandard().IsErrorRetryable(err) == false {
				t.Errorf("the caller gets %v, want an error that the SDK retries", err)
			}
			last := <-observed
			if done != want {
				t.Errorf("the call was done %d times, want %d", done, want)
			}
			if last.Fault != kind || last.Status != 0 || last.N != 1 {
				t.Errorf("observed %+v", last)
			}
		})
	}
}

func TestAHeldAnswerIsDroppedWhenTheCallerGivesUp(t *testing.T) {
	var done int
	e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
	e.Inject(Fault{Environment: "pr1", Like: describes, Nth: 1, Kind: TooSlow, Hold: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := describe(ctx, cfg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("describe = %v", err)
	}
}

// morgue notes who was killed.
type morgue struct {
	mu     sync.Mutex
	killed []string
}

func (m *morgue) Kill(key string) { m.note("killed " + key) }
func (m *morgue) Doom(key string) { m.note("doomed " + key) }

func (m *morgue) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.killed
}

func (m *morgue) note(s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.killed = append(m.killed, s)
}

func TestACallerIsKilledOnItsSideOfTheAnswer(t *testing.T) {
	for kind, want := range map[Kind]struct {
		status, next string
		killed       []string
	}{
		KilledUntold:   {"", "ACTIVE", []string{"killed plan.1"}},
		KilledAnswered: {"ACTIVE", "", []string{"doomed plan.1", "killed plan.1"}},
	} {
		t.Run(string(kind), func(t *testing.T) {
			var done int
			e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
			m := &morgue{}
			e.Kills(m)
			e.Inject(Fault{Environment: "pr1", Like: describes, Nth: 1, Kind: kind})
			first, _ := describe(t.Context(), cfg)
			next, _ := describe(t.Context(), cfg)
			if first != want.status || next != want.next {
				t.Errorf("the calls are answered %q and %q, want %q and %q", first, next, want.status, want.next)
			}
			if diff := cmp.Diff(want.killed, m.all()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStaleReadIsWhatWasSoAMomentAgo(t *testing.T) {
	var done int
	e, cfg := struckEdge(t, counted(&done, "NONE", "ACTIVE", "ACTIVE"))
	e.Remember()
	var stale []bool
	e.Observe(func(c Call) { stale = append(stale, c.Stale) })
	injected := e.Inject(Fault{Environment: "pr1", Like: describes, Nth: 1, Times: 2, Kind: StaleRead})
	var got []string
	for range 4 {
		status, err := describe(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, status)
	}
	if diff := cmp.Diff([]string{"NONE", "NONE", "NONE", "ACTIVE"}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if injected.Fired() != 2 {
		t.Errorf("Fired = %d; the first call had nothing else to be answered with", injected.Fired())
	}
	if !slices.Equal(stale, []bool{false, false, false, true}) {
		t.Errorf("Stale = %v", stale)
	}
}

func TestAConsistentReadIsNeverStale(t *testing.T) {
	for name, c := range map[string]struct {
		call Call
		body string
		want bool
	}{
		"DynamoDB, asked so":  {Call{Service: "dynamodb", Operation: "GetItem", N: 1}, `{"ConsistentRead":true}`, false},
		"DynamoDB, by index":  {Call{Service: "dynamodb", Operation: "Query", N: 1}, `{"IndexName":"live"}`, true},
		"S3 always":           {Call{Service: "s3", Operation: "ListObjectsV2", N: 1}, "", false},
		"a load balancer not": {Call{Service: "elasticloadbalancing", Operation: "DescribeRules", N: 1}, "", true},
		"a change is no read": {Call{Service: "elasticloadbalancing", Operation: "CreateRule", N: 1}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mayLag(c.call, []byte(c.body)); got != c.want {
				t.Errorf("mayLag = %v", got)
			}
		})
	}
}
