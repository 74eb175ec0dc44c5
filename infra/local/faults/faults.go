// Package faults tries what the suite survives: it records the AWS calls of a life
// in the local stack, plays the life again once for each call and each fault, and
// judges what became of it. It uses the stack as a person would, and looks at the
// AWS endpoint, the record and Slack; it knows nothing of how the functions work.
package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"previewenv/infra/local/edge"
	"previewenv/infra/local/git"
	"previewenv/infra/local/stack"
)

// World is a stack in which lives are played.
type World struct {
	*stack.Stack
	// Commits are two that are built: lives are provisioned at the first and updated to
	// the second.
	Commits [2]string

	table      *dynamodb.Client
	states     *sfn.Client
	balancer   *elb.Client
	containers *ecs.Client
	letters    *sqs.Client
	site       *s3.Client
	push       sync.Mutex

	mu     sync.Mutex
	traces map[string][]edge.Call // by label, of those that are being played
	writes map[string]int         // to the table, by label
}

// New prepares a stack for lives.
func New(s *stack.Stack) *World {
	w := &World{
		Stack: s, table: dynamodb.NewFromConfig(s.Config), states: sfn.NewFromConfig(s.Config),
		balancer: elb.NewFromConfig(s.Config), containers: ecs.NewFromConfig(s.Config),
		letters: sqs.NewFromConfig(s.Config), site: s3.NewFromConfig(s.Config),
		traces: map[string][]edge.Call{}, writes: map[string]int{},
	}
	w.Commits[0] = s.Repository.Commits["pr1"]
	s.Edge.Observe(w.observe)
	return w
}

// Catalog is the sample's, without its limits on how many environments there may be:
// more lives are played side by side than a team would want.
func Catalog(root string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(root, "infra", "local", "seed", "catalog.yaml"))
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "limits:") {
			lines[i] = "limits: {environments: 90, perOwner: 3}"
		}
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// commit pushes a new version of services to pull request 1.
func (w *World) commit(ctx context.Context, version string, services ...string) (string, error) {
	w.push.Lock()
	defer w.push.Unlock()
	var edits []git.Edit
	for _, service := range services {
		edits = append(edits, git.SetVersion(service, version))
	}
	sha, err := w.Repository.Push(ctx, 1, git.All(edits...))
	if err != nil {
		return "", fmt.Errorf("push %s: %w", version, err)
	}
	return sha, nil
}

func (w *World) observe(c edge.Call) {
	if c.Environment == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Service == "dynamodb" && !edge.ReadOnly(c.Operation) {
		w.writes[c.Environment]++
	}
	if trace, ok := w.traces[c.Environment]; ok {
		w.traces[c.Environment] = append(trace, c)
	}
}

// written counts the writes to the table for a label.
func (w *World) written(label string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes[label]
}

// follow begins the trace of a label; taken ends it.
func (w *World) follow(label string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traces[label] = []edge.Call{}
}

func (w *World) taken(label string) []edge.Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	trace := w.traces[label]
	delete(w.traces, label)
	return trace
}
