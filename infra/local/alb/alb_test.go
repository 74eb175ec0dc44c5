package alb

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheLowestPriorityThatFitsIsServed(t *testing.T) {
	w := newWorld(t)
	w.rule(30, fixed("200", "thirty"), field("path-pattern", "/*"))
	w.rule(10, fixed("200", "ten"), field("path-pattern", "/ab*"))
	w.rule(9, fixed("200", "nine"), field("path-pattern", "/abc*"))
	w.await("the rules", func() bool { _, body := w.get("/abcd"); return body == "nine" })
	for path, want := range map[string]string{"/abx": "ten", "/b": "thirty"} {
		if _, body := w.get(path); body != want {
			t.Errorf("%s: %s, not %s", path, body, want)
		}
	}
}

func TestErrorsOfTheLoadBalancer(t *testing.T) {
	w := newWorld(t)
	empty := w.group("empty", 1)
	faulty := w.group("faulty", 2)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/faulty/closes":
			panic(http.ErrAbortHandler)
		case "/faulty/sleeps":
			time.Sleep(time.Second)
		}
	}))
	t.Cleanup(server.Close)
	port := w.register(faulty, "127.0.0.9", server.URL)
	w.awaitState(faulty, "127.0.0.9", port, "healthy", "")
	for path, want := range map[string]int{"/none": 404, "/empty": 503, "/faulty": 200, "/faulty/closes": 502, "/faulty/sleeps": 504} {
		if status, _ := w.get(path); status != want {
			t.Errorf("%s: %d, not %d", path, status, want)
		}
	}
	if state, reason, _ := w.balancer.Healthy(empty, "127.0.0.1", 1); state != "unused" || reason != "Target.NotRegistered" {
		t.Errorf("what is not registered is %s %s", state, reason)
	}
	if state, reason, _ := w.balancer.Healthy("arn:other", "127.0.0.1", 1); state != "unused" || reason != "Target.NotInUse" {
		t.Errorf("a group without a rule is %s %s", state, reason)
	}
}

func TestWhatATargetSees(t *testing.T) {
	w := newWorld(t)
	group := w.group("echo", 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(rw, "%s %s for=%s proto=%s port=%s host=%q trace=%t", r.Host, r.RequestURI, r.Header.Get("X-Forwarded-For"),
			r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Port"), r.Header.Get("X-Forwarded-Host"),
			strings.HasPrefix(r.Header.Get("X-Amzn-Trace-Id"), "Root=1-"))
	}))
	t.Cleanup(server.Close)
	w.awaitState(group, "127.0.0.9", w.register(group, "127.0.0.9", server.URL), "healthy", "")
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://pr1.example.com:8080/echo/a%2Fb?x=1;y&z", nil)
	r.Header.Set("X-Forwarded-For", "198.51.100.7")
	w.balancer.ServeHTTP(recorder, r)
	want := `pr1.example.com:8080 /echo/a%2Fb?x=1;y&z for=198.51.100.7, 192.0.2.1 proto=http port=8080 host="" trace=true`
	if got := recorder.Body.String(); got != want {
		t.Errorf("%s\nnot %s", got, want)
	}
}

func TestHealthIsWhatTheChecksFind(t *testing.T) {
	w := newWorld(t)
	group := w.group("health", 1)
	serve := func(status int, wait time.Duration) string {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			time.Sleep(wait)
			rw.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	good := w.register(group, "127.0.0.1", serve(200, 0))
	bad := w.register(group, "127.0.0.2", serve(500, 0))
	slow := w.register(group, "127.0.0.3", serve(200, 1500*time.Millisecond))
	closed := w.register(group, "127.0.0.4", "http://127.0.0.1:1")
	w.awaitState(group, "127.0.0.1", good, "healthy", "")
	w.awaitState(group, "127.0.0.2", bad, "unhealthy", "Target.ResponseCodeMismatch")
	w.awaitState(group, "127.0.0.3", slow, "unhealthy", "Target.Timeout")
	w.awaitState(group, "127.0.0.4", closed, "unhealthy", "Target.FailedHealthChecks")
	if _, _, description := w.balancer.Healthy(group, "127.0.0.2", bad); description != "Health checks failed with these codes: [500]" {
		t.Error(description)
	}
}

func TestADrainingTargetEndsWhatItHasAndGetsNoMore(t *testing.T) {
	w := newWorld(t)
	group := w.group("drain", 1)
	hold, entered := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drain/long" {
			rw.WriteHeader(http.StatusOK)
			close(entered)
			<-hold
		}
	}))
	t.Cleanup(server.Close)
	answer := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(answer) // a server closes when all is answered
	port := w.register(group, "127.0.0.9", server.URL)
	w.awaitState(group, "127.0.0.9", port, "healthy", "")
	long := make(chan int, 1)
	go func() { status, _ := w.get("/drain/long"); long <- status }()
	<-entered
	w.deregister(group, "127.0.0.9")
	w.awaitState(group, "127.0.0.9", port, "draining", "Target.DeregistrationInProgress")
	if status, _ := w.get("/drain"); status != 503 {
		t.Errorf("a draining target got a request: %d", status)
	}
	raw := []byte(`<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DescribeTargetHealthResult><TargetHealthDescriptions/></DescribeTargetHealthResult></DescribeTargetHealthResponse>`)
	if told := string(w.balancer.DescribeTargetHealth([]byte(url.Values{"TargetGroupArn": {group}}.Encode()), raw)); !strings.Contains(told, "<State>draining</State>") {
		t.Errorf("described: %s", told)
	}
	answer()
	if status := <-long; status != 200 {
		t.Errorf("the request in flight ended with %d", status)
	}
	w.awaitState(group, "127.0.0.9", port, "unused", "Target.NotRegistered")
}

func TestAWebSocketPasses(t *testing.T) {
	w := newWorld(t)
	group := w.group("ws", 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			return
		}
		conn, buffer, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := buffer.ReadString('\n')
		_, _ = io.WriteString(conn, "echo "+line)
	}))
	t.Cleanup(server.Close)
	w.awaitState(group, "127.0.0.9", w.register(group, "127.0.0.9", server.URL), "healthy", "")
	front := httptest.NewServer(w.balancer)
	t.Cleanup(front.Close)
	conn, err := net.Dial("tcp", strings.TrimPrefix(front.URL, "http://"))
	w.check(err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	w.check(err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	w.check(err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", response.StatusCode)
	}
	_, err = io.WriteString(conn, "hello\n")
	w.check(err)
	if line, _ := reader.ReadString('\n'); line != "echo hello\n" {
		t.Errorf("the other side said %q", line)
	}
}
