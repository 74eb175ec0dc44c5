package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/logging"

	"previewenv/infra/smoke"
	"previewenv/lambdas/catalog"
)

// smokeFlags are what a person says.
type smokeFlags struct {
	commit, update, services, channel, label string
	local, catalog, outputs, report          string
	executions                               bool
}

// runSmoke plays a life and writes its report. Its error says that it was not good.
func runSmoke(ctx context.Context, args []string, out io.Writer) error {
	var f smokeFlags
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.StringVar(&f.commit, "commit", "", "the commit to provision")
	flags.StringVar(&f.update, "update", "", "a second commit to update to; none plays no update")
	flags.StringVar(&f.services, "services", "", "the services, with commas; all of the catalog otherwise")
	flags.StringVar(&f.channel, "channel", "", "id of a Slack channel: go through the door, and show the message there")
	flags.BoolVar(&f.executions, "executions", false, "start executions, also where there is a door")
	flags.StringVar(&f.label, "label", "", "of the environment")
	flags.StringVar(&f.local, "local", "", "folder of a running local stack, to play on that instead")
	flags.StringVar(&f.catalog, "catalog", "infra/catalog.yaml", "the catalog")
	flags.StringVar(&f.outputs, "outputs", ".local/outputs.json", "what make deploy wrote")
	flags.StringVar(&f.report, "report", ".local/smoke.md", "where the report is written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options, err := f.options(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	options.Tell = func(format string, args ...any) {
		fmt.Fprintf(out, "%6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	report, failed := smoke.Run(ctx, options)
	if err := os.MkdirAll(filepath.Dir(f.report), 0o750); err != nil {
		return err
	}
	file, err := os.Create(f.report)
	if err != nil {
		return err
	}
	report.Markdown(file, failed)
	if err := file.Close(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d answers, %d of them wrong. The report is %s.\n", len(report.Answers), len(report.Wrong()), f.report)
	if failed != nil {
		return failed
	}
	if len(report.Wrong()) > 0 || report.Receipt == "" {
		return errSaid
	}
	return nil
}

func (f smokeFlags) options(ctx context.Context) (smoke.Options, error) {
	o := smoke.Options{
		Channel: f.channel, Commit: f.commit, Update: f.update, Label: cmp.Or(f.label, "smoke-"+strconv.FormatInt(time.Now().Unix(), 36)),
		Every: 500 * time.Millisecond, Poll: 2 * time.Second, Patience: 30 * time.Minute, Settle: 90 * time.Second,
		Spread: time.Minute, // changes of the KeyValueStore were measured to take 21 to 32 s
	}
	var content *catalog.Catalog
	var err error
	if f.local != "" {
		content, err = f.onLocal(ctx, &o)
	} else {
		content, err = f.onAccount(ctx, &o)
	}
	if err != nil {
		return o, err
	}
	if f.executions {
		o.Door = ""
	}
	if o.Update == "none" {
		o.Update = ""
	}
	if o.Commit == "" {
		return o, errors.New("say which commit to provision: make smoke COMMIT=… (and UPDATE=… for a second one)")
	}
	o.Cluster = content.Baseline.Cluster
	names := slices.Sorted(maps.Keys(content.Services))
	if f.services != "" {
		names = strings.FieldsFunc(f.services, func(r rune) bool { return r == ',' || r == ' ' })
	}
	o.Services = map[string]string{}
	for _, name := range names {
		service, ok := content.Services[name]
		if !ok {
			return o, fmt.Errorf("there is no service %q in the catalog", name)
		}
		o.Services[name] = service.ProbePath()
	}
	return o, nil
}

// onLocal plays on make local, through the door.
func (f smokeFlags) onLocal(ctx context.Context, o *smoke.Options) (*catalog.Catalog, error) {
	stack, err := readLocal(f.local)
	if err != nil {
		return nil, err
	}
	o.Config, o.StateMachine, o.URL = stack.config(), stack.StateMachineARN, stack.Preview
	o.Door, o.Channel = stack.SlackCommands, cmp.Or(o.Channel, "C0SMOKE")
	o.Sign = signer(stack.SlackSigningSecret)
	o.Commit = cmp.Or(o.Commit, stack.Commits["pr1"])
	o.Update = cmp.Or(o.Update, stack.Commits["pr2"])
	o.Every, o.Poll, o.Patience, o.Settle, o.Spread = 50*time.Millisecond, 200*time.Millisecond, 3*time.Minute, 3*time.Second, 2*time.Second
	proxy, err := url.Parse(stack.AWS)
	if err != nil {
		return nil, err
	}
	// Not every machine resolves names below localhost; the edge serves them.
	o.Client = client(func(q *http.Request) (*url.URL, error) {
		if strings.HasSuffix(q.URL.Hostname(), ".localhost") {
			return proxy, nil
		}
		return nil, nil
	}, false)
	return stack.catalog(ctx)
}

// onAccount plays on what was deployed.
func (f smokeFlags) onAccount(ctx context.Context, o *smoke.Options) (*catalog.Catalog, error) {
	outputs, err := readOutputs(f.outputs)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.catalog)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	content, err := catalog.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", f.catalog, err)
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	o.StateMachine, o.URL = outputs["StateMachine"], "https://{label}."+content.BaseDomain
	// arn:aws:states:<region>:…
	if parts := strings.Split(o.StateMachine, ":"); len(parts) > 3 {
		cfg.Region = parts[3]
	}
	o.Config = cfg
	// Each request on a connection of its own: CloudFront's next one may be answered
	// by another of its machines, which may know less.
	o.Client = client(http.ProxyFromEnvironment, true)
	if o.Channel != "" {
		if content.Installation == nil {
			return nil, errors.New(f.catalog + ": installation: is missing; its prefix says where the signing secret is")
		}
		secret, err := signingSecret(ctx, cfg, content.Installation.Prefix+"/slack-signing-secret")
		if err != nil {
			return nil, err
		}
		o.Door, o.Sign = outputs["SlackCommands"], signer(secret)
	}
	return content, nil
}

func signingSecret(ctx context.Context, cfg aws.Config, id string) (string, error) {
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w; leave CHANNEL out to start executions instead", id, err)
	}
	return strings.TrimSpace(aws.ToString(out.SecretString)), nil
}

// signer signs as Slack does: docs.slack.dev/authentication/verifying-requests-from-slack.
func signer(secret string) func(timestamp string, body []byte) string {
	return func(timestamp string, body []byte) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte("v0:" + timestamp + ":"))
		mac.Write(body)
		return "v0=" + hex.EncodeToString(mac.Sum(nil))
	}
}

func client(proxy func(*http.Request) (*url.URL, error), fresh bool) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: proxy, DisableKeepAlives: fresh, MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// readOutputs joins the outputs of all stacks.
func readOutputs(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("find what was deployed: %w; make deploy writes it", err)
	}
	var stacks map[string]map[string]string
	if err := json.Unmarshal(text, &stacks); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	all := map[string]string{}
	for _, stack := range stacks {
		maps.Copy(all, stack)
	}
	if all["StateMachine"] == "" {
		return nil, fmt.Errorf("read %s: no stack in it has the output StateMachine; run make deploy again", file)
	}
	return all, nil
}
