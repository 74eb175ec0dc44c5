package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"previewenv/lambdas/catalog"
)

// localStack is what make local writes about itself.
type localStack struct {
	AWS                string            `json:"aws"`
	SlackCommands      string            `json:"slackCommands"`
	SlackSigningSecret string            `json:"slackSigningSecret"`
	Preview            string            `json:"preview"`
	StateMachineARN    string            `json:"stateMachineArn"`
	Table              string            `json:"table"`
	Commits            map[string]string `json:"commits"`
}

func readLocal(dir string) (localStack, error) {
	var s localStack
	text, err := os.ReadFile(filepath.Join(dir, "stack.json"))
	if err != nil {
		return s, fmt.Errorf("find the local stack: %w; start one with make local", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read stack.json: %w", err)
	}
	return s, nil
}

// config is that of a person's client.
func (s localStack) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.AWS,
		Credentials: credentials.NewStaticCredentialsProvider("person", "local", ""),
	}
}

// prefix starts the name of everything.
func (s localStack) prefix() string { return strings.TrimSuffix(s.Table, "-environments") }

// catalog is what the stack published.
func (s localStack) catalog(ctx context.Context) (*catalog.Catalog, error) {
	reader := catalog.Reader{API: ssm.NewFromConfig(s.config()), Prefix: "/" + s.prefix() + "/catalog"}
	settings, err := reader.Settings(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the local stack: %w; is make local running?", err)
	}
	var names []string
	for _, entry := range settings.Services {
		names = append(names, entry.Name)
	}
	services, err := reader.Services(ctx, names...)
	if err != nil {
		return nil, err
	}
	return &catalog.Catalog{
		BaseDomain: settings.BaseDomain, Label: settings.Label, Baseline: settings.Baseline, Lifetime: settings.Lifetime,
		Limits: settings.Limits, Repositories: settings.Repositories, Services: services, Queues: settings.Queues,
	}, nil
}
