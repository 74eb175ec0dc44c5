package ecs

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
)

// Ports given to containers are below those that the kernel gives to outgoing
// connections, so that none is taken between the choice and the listening.
const (
	firstPort = 20000
	lastPort  = 31999
)

// ports gives each container a port that nothing listens on.
type ports struct {
	mu    sync.Mutex
	next  int
	given map[int]bool
}

func newPorts() *ports {
	// Two stacks on one machine should not try the same ones.
	return &ports{next: os.Getpid() * 97 % (lastPort - firstPort), given: map[int]bool{}}
}

func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range lastPort - firstPort {
		p.next = (p.next + 1) % (lastPort - firstPort)
		port := firstPort + p.next
		if p.given[port] || !free(port) {
			continue
		}
		p.given[port] = true
		return port, nil
	}
	return 0, errors.New("find port for container: none is free")
}

func (p *ports) release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.given, port)
}

func free(port int) bool {
	for _, host := range []string{"127.0.0.1", ""} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
