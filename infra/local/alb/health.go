package alb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// check is how a group's targets are checked.
type check struct {
	arn               string
	enabled           bool
	protocol          types.ProtocolEnum
	port              int // 0 is the one that gets the requests
	path              string
	matcher           string
	interval, timeout time.Duration
	rise, fall        int // successes until healthy again, failures until unhealthy
}

// Defaults of an HTTP target group (botocore, CreateTargetGroupInput).
func newCheck(g types.TargetGroup) check {
	c := check{
		arn: aws.ToString(g.TargetGroupArn), enabled: g.HealthCheckEnabled == nil || *g.HealthCheckEnabled,
		protocol: g.HealthCheckProtocol, path: aws.ToString(g.HealthCheckPath), matcher: "200",
		interval: seconds(g.HealthCheckIntervalSeconds, 30), timeout: seconds(g.HealthCheckTimeoutSeconds, 5),
		rise: int(aws.ToInt32(g.HealthyThresholdCount)), fall: int(aws.ToInt32(g.UnhealthyThresholdCount)),
	}
	if c.path == "" {
		c.path = "/"
	}
	if g.Matcher != nil && aws.ToString(g.Matcher.HttpCode) != "" {
		c.matcher = *g.Matcher.HttpCode
	}
	// The group's own port is the container's, and here each container has another.
	if port, err := strconv.Atoi(aws.ToString(g.HealthCheckPort)); err == nil && port != int(aws.ToInt32(g.Port)) {
		c.port = port
	}
	return c
}

func seconds(given *int32, otherwise int32) time.Duration {
	if given != nil && *given > 0 {
		otherwise = *given
	}
	return time.Duration(otherwise) * time.Second
}

// boot is how often a new target is tried again that does not listen yet. AWS
// would wait for the interval; a process here listens within milliseconds.
const boot = 100 * time.Millisecond

// watch checks a target until it leaves.
func (g *group) watch(ctx context.Context, t *target) {
	first := time.Now()
	var good, bad int
	for {
		c, start := g.settings(), time.Now()
		found, refused := healthy, false
		if c.enabled {
			found, refused = c.probe(ctx, t.address)
		}
		if ctx.Err() != nil {
			return
		}
		pause := c.interval - time.Since(start)
		switch {
		case refused && time.Since(first) < c.interval && good == 0:
			found, pause = checking, boot
		case found == healthy:
			good, bad = good+1, 0
		default:
			good, bad = 0, bad+1
		}
		g.mu.Lock()
		if t.state != draining.state {
			t.health = t.after(found, good, bad, c)
		}
		g.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// after is the state that so many good or bad checks in a row lead to. A new
// target needs one good one, whatever the threshold.
func (t *target) after(found health, good, bad int, c check) health {
	switch {
	case found == healthy && (t.state != types.TargetHealthStateEnumUnhealthy || good >= c.rise):
		return healthy
	case found == healthy, found == checking:
		if t.health == registering {
			return checking
		}
		return t.health
	case bad >= c.fall || t.state == types.TargetHealthStateEnumUnhealthy:
		return found
	case t.state == types.TargetHealthStateEnumInitial:
		return checking
	}
	return t.health
}

var prober = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
		// As the load balancer: it does not look at the target's certificate.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// probe checks once. refused: nothing listens there.
func (c check) probe(ctx context.Context, a address) (found health, refused bool) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	port := a.port
	if c.port != 0 {
		port = c.port
	}
	var status int
	var err error
	if c.protocol == types.ProtocolEnumTcp {
		status, err = dial(ctx, a.endpoint(port))
	} else {
		scheme := strings.ToLower(string(c.protocol))
		if scheme != "https" {
			scheme = "http"
		}
		status, err = get(ctx, scheme+"://"+a.endpoint(port)+c.path)
	}
	var wait net.Error
	switch {
	case err == nil && (c.protocol == types.ProtocolEnumTcp || accepts(c.matcher, status)):
		return healthy, false
	case err == nil:
		return unhealthy(types.TargetHealthReasonEnumResponseCodeMismatch,
			fmt.Sprintf("Health checks failed with these codes: [%d]", status)), false
	case errors.As(err, &wait) && wait.Timeout():
		return unhealthy(types.TargetHealthReasonEnumTimeout, "Request timed out"), false
	}
	return unhealthy(types.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"), errors.Is(err, syscall.ECONNREFUSED)
}

func unhealthy(reason types.TargetHealthReasonEnum, description string) health {
	return health{types.TargetHealthStateEnumUnhealthy, reason, description}
}

func dial(ctx context.Context, endpoint string) (int, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", endpoint)
	if err != nil {
		return 0, err
	}
	return 0, conn.Close()
}

func get(ctx context.Context, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	response, err := prober.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// accepts tells whether a matcher has the status: "200", "200,302" or "200-299".
func accepts(matcher string, status int) bool {
	for part := range strings.SplitSeq(matcher, ",") {
		first, last, span := strings.Cut(strings.TrimSpace(part), "-")
		if !span {
			last = first
		}
		from, fromErr := strconv.Atoi(strings.TrimSpace(first))
		to, toErr := strconv.Atoi(strings.TrimSpace(last))
		if fromErr == nil && toErr == nil && from <= status && status <= to {
			return true
		}
	}
	return false
}
