package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mostResources of a stack (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const mostResources = 500

// twenty is a catalog of 20 services: a frontend and 19 backends.
func twenty(t testing.TB) string {
	t.Helper()
	var more strings.Builder
	for i := 3; i <= 19; i++ {
		fmt.Fprintf(&more, "  service%d: {repository: shop, ecsService: service%d, paths: [/service%d, /service%d/*], build: {buildspec: service%d/buildspec.yml}}\n", i, i, i, i, i)
	}
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(readFile(t, "catalog.yaml"), "queues:\n", more.String()+"queues:\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return relative(t, file)
}

func TestTwentyServicesFitIntoTheirStacks(t *testing.T) {
	made, err := synthesize(t.TempDir(), map[string]string{"catalog": twenty(t)})
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 21 {
		t.Errorf("there are %d stacks, want one for the suite and one a service", len(made))
	}
	for name, stack := range made {
		if n := len(stack.Resources); n > mostResources/2 {
			t.Errorf("%s has %d resources; CloudFormation takes %d", name, n, mostResources)
		}
	}
}

func BenchmarkSynthesisOfTwentyServices(b *testing.B) {
	catalog := twenty(b)
	for b.Loop() {
		if _, err := synthesize(b.TempDir(), map[string]string{"catalog": catalog}); err != nil {
			b.Fatal(err)
		}
	}
}
