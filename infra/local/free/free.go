// Package free finds ports on loopback: the usual one, so that URLs stay the same
// from day to day, or any other when that is taken.
package free

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// attempts bounds the search for a port that is free on both loopback addresses.
const attempts = 50

// Port returns preferred if it is free on loopback, else any free port. Another
// process can take it before the caller does; who can listen, uses Listen.
func Port(preferred int) (int, error) {
	l, err := Listen(preferred)
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Listen listens on preferred if it is free, else on any free port; preferred 0
// is any. The listener serves 127.0.0.1 and, where the machine has it, [::1] at
// the same port, because "localhost" may mean either. Its address is that on
// 127.0.0.1.
func Listen(preferred int) (net.Listener, error) {
	if preferred != 0 {
		if l, err := listen(preferred); err == nil {
			return l, nil
		}
	}
	var err error
	for range attempts {
		var l net.Listener
		if l, err = listen(0); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("listen on loopback: %w", err)
}

func listen(port int) (net.Listener, error) {
	v4, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	if !hasIPv6() {
		return v4, nil
	}
	port = v4.Addr().(*net.TCPAddr).Port
	v6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
	if err != nil {
		return nil, errors.Join(err, v4.Close())
	}
	return merge(v4, v6), nil
}

func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// merged accepts from several listeners; its address is the first one's.
type merged struct {
	listeners []net.Listener
	accepted  chan accepted
	closed    chan struct{}
	once      sync.Once
}

type accepted struct {
	conn net.Conn
	err  error
}

func merge(listeners ...net.Listener) *merged {
	m := &merged{listeners: listeners, accepted: make(chan accepted), closed: make(chan struct{})}
	for _, l := range listeners {
		go m.acceptFrom(l)
	}
	return m
}

func (m *merged) acceptFrom(l net.Listener) {
	for {
		conn, err := l.Accept()
		select {
		case m.accepted <- accepted{conn, err}:
		case <-m.closed:
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept takes the next connection of either listener.
func (m *merged) Accept() (net.Conn, error) {
	select {
	case a := <-m.accepted:
		return a.conn, a.err
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// Addr is the address on 127.0.0.1.
func (m *merged) Addr() net.Addr { return m.listeners[0].Addr() }

// Close closes both listeners.
func (m *merged) Close() error {
	var errs []error
	m.once.Do(func() {
		close(m.closed)
		for _, l := range m.listeners {
			errs = append(errs, l.Close())
		}
	})
	return errors.Join(errs...)
}
