package life

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"previewenv/infra/local/access"
	"previewenv/infra/local/stack"
)

// witness notes what the functions ask of IAM during the lives of this package, which
// a test of infra puts to a policy evaluator.
func witness(s *stack.Stack) *access.Witness {
	functions := functionNames()
	_, balancer, _ := strings.Cut(s.Seeded.Listener, ":listener/")
	w := access.New(aws.Config{
		Region: s.Config.Region, BaseEndpoint: s.Config.BaseEndpoint, Credentials: credentials.NewStaticCredentialsProvider("witness", "witness", ""),
	}, access.Places{
		Site: s.Seeded.Site, Artifacts: s.Seeded.Artifacts, Sources: s.Seeded.Sources, LoadBalancer: balancer, Prefix: "pv",
	}, func(caller string) bool { return slices.Contains(functions, caller) })
	s.Edge.Overhear(w.Overhear)
	return w
}

// compareAccess holds what was asked to the golden. Not every run asks all of it.
func compareAccess(root string, w *access.Witness, all bool) error {
	file := filepath.Join(root, "testdata", "access.golden")
	got, faults := w.Requests()
	if len(faults) > 0 {
		return fmt.Errorf("what some calls ask of IAM could not be read:\n%s", strings.Join(faults, "\n"))
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read what is asked of IAM: %w", err)
	}
	known := strings.Fields(string(text))
	if *update {
		known = slices.DeleteFunc(known, func(line string) bool { return all && !isRare(line) })
		lines := slices.Compact(slices.Sorted(slices.Values(slices.Concat(got, known))))
		return os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	}
	var unknown []string
	for _, line := range got {
		if !slices.Contains(known, line) {
			unknown = append(unknown, line)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the functions ask IAM for what testdata/access.golden has not; look at their grants, then run go test ./infra/local/life -update:\n%s", strings.Join(unknown, "\n"))
	}
	return nil
}

// isRare tells that a life asks for it only at times.
func isRare(line string) bool {
	var r access.Request
	return json.Unmarshal([]byte(line), &r) == nil && slices.Contains(rare, r.Caller+" "+r.Action)
}
