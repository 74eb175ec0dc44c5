// Package manner says where AWS is less kind than an emulator, and by how much. The
// parts of the local stack behave so by default; this package knows the numbers and
// draws the lots, and nothing of who asks. What AWS does, and who says so:
//
//   - A change of a CloudFront KeyValueStore shows at an edge after 20 to 35 s: 21 to
//     32 s were measured, in two series at one point of presence each; AWS says "within
//     a few seconds" (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions.html).
//     Until then the old value is read, the new one now and then, and now and then
//     none at all, even of a key that was there before and after.
//   - A new listener rule takes a moment until it carries, and one that was deleted
//     until it carries no more. AWS publishes no time; up to 10 s is taken here, and the
//     load balancer controller waits twice as long for a listener
//     (github.com/kubernetes-sigs/aws-load-balancer-controller, issue 1433).
//   - ECS looks at the load balancer on its own and may not see yet that a rule leads to
//     a target group: InvalidParameterException, "The target group … does not have an
//     associated load balancer" (github.com/cloudposse/terraform-aws-ecs-web-app, issue 226).
//     No time is known, so that it is drawn: one service in three is refused once.
//   - Lambda polls each shard of a table's stream on its own. A table on demand begins
//     with four partitions, one shard each, and the rows of one partition key are in
//     one of them; above a ParallelizationFactor of 1 a shard is read by several
//     invocations, and only the changes of one item, which is partition and sort key,
//     stay in order (docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html).
//   - Lists are behind what they list: the tag index, ECS's and ELBv2's lists and
//     DynamoDB's indexes are eventually consistent; SQS lists a deleted queue for up to
//     60 s (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html).
//     Up to 20 s is taken for all.
//   - The name of an execution is refused for 90 days after it closed. Only the same name
//     with the same input is accepted while the execution runs
//     (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
//     A local stack does not get that old: it never takes one again.
//   - DynamoDB deletes what has expired some time later, item by item in no order
//     (docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html).
//
// Times are divided by one factor. A lot is drawn of the seed and of what it is drawn
// for, so that the same seed draws the same whatever else happens.
package manner

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"
)

// Manners are those of one stack. Nil is AWS at its kindest: everything at once.
type Manners struct {
	Seed uint64
	// Factor is how many times quicker than AWS the stack is.
	Factor float64
}

// Usual is the factor of a stack that is not told another: 35 s become one second.
const Usual = 35

// Times of AWS.
const (
	EdgeFirst = 20 * time.Second // until an edge may show a change of a key
	EdgeLast  = 35 * time.Second // until every one does
	RuleLast  = 10 * time.Second // until a rule carries, or drops
	ListLast  = 20 * time.Second // until a list shows what is so
	Expire    = time.Hour        // between two deletions of what has expired
)

// Odds, of one.
const (
	EdgeEarly   = 0.1 // that a read shows a change before its time
	EdgeMiss    = 0.1 // that a read of a key that changes finds none
	ListBehind  = 0.25
	ServiceLate = 1.0 / 3 // that ECS does not see the rule yet
)

// Shards are those of a new table's stream.
const Shards = 4

// String says what plays the same again.
func (m *Manners) String() string {
	if m == nil {
		return "AWS's manners: none"
	}
	return fmt.Sprintf("AWS's manners: seed %d, %g times as fast", m.Seed, m.Factor)
}

// Within is a time between two of AWS's, scaled.
func (m *Manners) Within(least, most time.Duration, of ...any) time.Duration {
	if m == nil {
		return 0
	}
	return m.scaled(least + time.Duration(m.lot(of...)*float64(most-least)))
}

// Scaled is one of AWS's times.
func (m *Manners) Scaled(d time.Duration) time.Duration {
	if m == nil {
		return 0
	}
	return m.scaled(d)
}

// Draws tells whether the lot of these odds falls.
func (m *Manners) Draws(odds float64, of ...any) bool { return m != nil && m.lot(of...) < odds }

// Order is a random one of n things.
func (m *Manners) Order(n int, of ...any) []int {
	if m == nil {
		return rand.New(rand.NewPCG(0, 0)).Perm(n)
	}
	return rand.New(rand.NewPCG(m.Seed, m.sum(of...))).Perm(n)
}

func (m *Manners) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / m.Factor)
}

// lot is from 0 up to 1.
func (m *Manners) lot(of ...any) float64 {
	return rand.New(rand.NewPCG(m.Seed, m.sum(of...))).Float64()
}

func (m *Manners) sum(of ...any) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.TrimSpace(fmt.Sprintln(of...)))) // never an error
	return h.Sum64()
}

// FromEnvironment reads MANNERS_SEED, 1 without it, and MANNERS_FACTOR, the usual one
// without it; a factor of 0 is no manners.
func FromEnvironment() (*Manners, error) {
	m := &Manners{Seed: 1, Factor: Usual}
	var err error
	if text := os.Getenv("MANNERS_SEED"); text != "" {
		if m.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, fmt.Errorf("read MANNERS_SEED: %w", err)
		}
	}
	if text := os.Getenv("MANNERS_FACTOR"); text != "" {
		if m.Factor, err = strconv.ParseFloat(text, 64); err != nil || m.Factor < 0 {
			return nil, fmt.Errorf("MANNERS_FACTOR is %q: a number of at least 0 is expected", text)
		}
	}
	if m.Factor == 0 {
		return nil, nil
	}
	return m, nil
}
