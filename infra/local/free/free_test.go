package free

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

func TestPreferredPortIsTakenWhenFree(t *testing.T) {
	first, err := Port(0)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(first)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if got := l.Addr().(*net.TCPAddr).Port; got != first {
		t.Errorf("listens on %d, want the preferred %d", got, first)
	}
	other, err := Port(first)
	if err != nil {
		t.Fatal(err)
	}
	if other == first {
		t.Errorf("a port in use was called free")
	}
}

func TestBothLoopbackAddressesAnswer(t *testing.T) {
	l, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	})}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	hosts := []string{"127.0.0.1"}
	if hasIPv6() {
		hosts = append(hosts, "[::1]")
	}
	for _, host := range hosts {
		res, err := http.Get(fmt.Sprintf("http://%s:%d/", host, l.Addr().(*net.TCPAddr).Port))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve ended with %v", err)
	}
}
