package edge

import (
	"testing"
	"time"
)

func TestABucketHoldsABurstAndRefills(t *testing.T) {
	now := time.Now()
	b := &bucket{capacity: 20, refill: 3}
	took := func(n int) (done int) {
		for range n {
			if b.take(now) {
				done++
			}
		}
		return done
	}
	if n := took(30); n != 20 {
		t.Errorf("a full bucket of 20 gave %d", n)
	}
	now = now.Add(2 * time.Second)
	if n := took(30); n != 6 {
		t.Errorf("2 s at 3 a second gave %d", n)
	}
	now = now.Add(time.Hour)
	if n := took(30); n != 20 {
		t.Errorf("after an hour it gave %d, more or less than it holds", n)
	}
}

func TestCallsDrawOnTheBucketsOfAWS(t *testing.T) {
	for call, want := range map[[2]string]string{
		{"elasticloadbalancing", "CreateRule"}:                  "elasticloadbalancing write",
		{"elasticloadbalancing", "ModifyTargetGroupAttributes"}: "elasticloadbalancing write",
		{"elasticloadbalancing", "RegisterTargets"}:             "elasticloadbalancing register",
		{"elasticloadbalancing", "DescribeTargetHealth"}:        "elasticloadbalancing read",
		{"ecs", "DeregisterTaskDefinition"}:                     "ecs task definition",
		{"ecs", "UpdateService"}:                                "ecs service",
		{"dynamodb", "PutItem"}:                                 "",
	} {
		if got := bucketOf(call[0], call[1]); got != want {
			t.Errorf("%v draws on %q, want %q", call, got, want)
		}
	}
}

func TestFunctionsAreLimitedAndAgentsAreNot(t *testing.T) {
	var done int
	e, cfg := struckEdge(t, counted(&done, "ACTIVE"))
	e.Throttle()
	e.limits.buckets["ecs read"] = &bucket{capacity: 1}
	for range 3 {
		_, _ = describe(t.Context(), cfg)
	}
	if done != 1 || e.Throttles()["ecs read"] != 2 {
		t.Errorf("a bucket of 1 let %d of 3 calls through and counted %v", done, e.Throttles())
	}
	e.Unthrottle()
	if _, err := describe(t.Context(), cfg); err != nil {
		t.Errorf("after Unthrottle: %v", err)
	}
	e.Refuse("ecs", "DescribeServices", func([]byte) *Refusal { return &Refusal{400, "LimitExceededException", "full"} })
	if _, err := describe(t.Context(), cfg); err == nil {
		t.Error("what Refuse refuses is done")
	}
	e.Serving(func(string) []byte { return nil })
	if _, err := describe(t.Context(), cfg); err != nil {
		t.Errorf("an agent's call is refused: %v", err)
	}
}
