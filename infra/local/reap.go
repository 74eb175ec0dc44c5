package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"previewenv/infra/local/stack"
)

// reap asks the running local stack for one sweep of the reaper, and says what came
// of it.
func reap(ctx context.Context, dir string, dryRun bool) error {
	text, err := os.ReadFile(filepath.Join(dir, "stack.json"))
	if err != nil {
		return fmt.Errorf("find the local stack: %w; start one with make local", err)
	}
	var info stack.Info
	if err := json.Unmarshal(text, &info); err != nil {
		return fmt.Errorf("read stack.json: %w", err)
	}
	client := lambda.New(lambda.Options{
		Region: "us-east-1", BaseEndpoint: &info.AWS,
		Credentials: credentials.NewStaticCredentialsProvider("person", "local", ""),
	})
	payload, err := json.Marshal(map[string]bool{"dryRun": dryRun})
	if err != nil {
		return err
	}
	out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("reap"), Payload: payload})
	if err != nil {
		return fmt.Errorf("invoke the reaper: %w; is make local running?", err)
	}
	if out.FunctionError != nil {
		return fmt.Errorf("the reaper failed: %s", out.Payload)
	}
	return tell(out.Payload)
}

// swept is what a sweep reports.
type swept struct {
	DryRun       bool     `json:"dryRun"`
	Environments int      `json:"environments"`
	Ended        []line   `json:"ended"`
	Leaks        []line   `json:"leaks"`
	Removed      []line   `json:"removed"`
	Left         []line   `json:"left"`
	Foreign      []line   `json:"foreign"`
	Problems     []string `json:"problems"`
}

type line struct{ Environment, Kind, Name, Why string }

func tell(payload []byte) error {
	var s swept
	if err := json.Unmarshal(payload, &s); err != nil {
		return fmt.Errorf("read the reaper's report: %w", err)
	}
	removed := "removed"
	if s.DryRun {
		removed = "would be removed"
	}
	fmt.Printf("%d environments live, %d were taken over, %d resources %s, %d of them leaks, %d are left.\n",
		s.Environments, len(s.Ended), len(s.Removed), removed, len(s.Leaks), len(s.Left))
	for _, l := range s.Ended {
		fmt.Printf("taken over: %s: %s\n", l.Environment, l.Why)
	}
	for _, l := range s.Removed {
		fmt.Printf("%s: %s %s %s: %s\n", removed, l.Environment, l.Kind, l.Name, l.Why)
	}
	for _, l := range s.Left {
		fmt.Printf("left: %s %s %s: %s\n", l.Environment, l.Kind, l.Name, l.Why)
	}
	for _, l := range s.Foreign {
		fmt.Printf("not ours: %s %s: %s\n", l.Kind, l.Name, l.Why)
	}
	for _, p := range s.Problems {
		fmt.Println("problem: " + p)
	}
	if len(s.Left)+len(s.Problems) > 0 {
		return fmt.Errorf("%d resources left, %d problems", len(s.Left), len(s.Problems))
	}
	return nil
}
